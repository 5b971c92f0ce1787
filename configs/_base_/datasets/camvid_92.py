# CamVid: 92 labeled images, 275 unlabeled, of split id 0.
_base_ = 'camvid.py'
lists = f'{_base_.splits}/camvid/split0'
train_dataloader = dict(
    dataset=dict(
        labeled=dict(ann_file=f'{lists}/labeled_92.txt'),
        unlabeled=dict(ann_file=f'{lists}/unlabeled_92.txt'),
    )
)

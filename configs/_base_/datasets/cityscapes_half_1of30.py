# Cityscapes at half resolution, 1/30: 100 labeled images, 2875 unlabeled, of split id 0.
_base_ = 'cityscapes_half.py'
lists = f'{_base_.splits}/cityscapes/split0'
train_dataloader = dict(
    dataset=dict(
        labeled=dict(ann_file=f'{lists}/labeled_1of30.txt'),
        unlabeled=dict(ann_file=f'{lists}/unlabeled_1of30.txt'),
    )
)

# VOC 2012, 1/8: 1322 labeled images, 9260 unlabeled, of split id 0.
_base_ = 'voc12aug.py'
lists = f'{_base_.splits}/voc12aug/split0'
train_dataloader = dict(
    dataset=dict(
        labeled=dict(ann_file=f'{lists}/labeled_1of8.txt'),
        unlabeled=dict(ann_file=f'{lists}/unlabeled_1of8.txt'),
    )
)

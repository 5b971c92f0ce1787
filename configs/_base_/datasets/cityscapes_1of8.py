# Cityscapes, 1/8: 371 labeled images, 2604 unlabeled, of split id 0.
_base_ = 'cityscapes.py'
lists = f'{_base_.splits}/cityscapes/split0'
train_dataloader = dict(
    dataset=dict(
        labeled=dict(ann_file=f'{lists}/labeled_1of8.txt'),
        unlabeled=dict(ann_file=f'{lists}/unlabeled_1of8.txt'),
    )
)

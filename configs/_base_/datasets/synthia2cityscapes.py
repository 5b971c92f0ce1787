# From SYNTHIA (source: 9400 labeled images of RAND-CITYSCAPES) to Cityscapes (target: 2975 without labels): the 16
# classes that the tables of this pair have. mIoU is over these, mIoU13 leaves out wall, fence and pole. In ground truth
# of Cityscapes the three other classes, terrain, truck and train, are ignored.
_base_ = 'gta2cityscapes.py'
ground = ('road', 'sidewalk', 'building')
signs = ('traffic light', 'traffic sign')
rest = ('vegetation', 'sky', 'person', 'rider', 'car', 'bus', 'motorcycle', 'bicycle')
metainfo = dict(classes=(*ground, 'wall', 'fence', 'pole', *signs, *rest))
source = dict(
    _delete_=True,
    type='mmdmt.SYNTHIADataset',
    data_root=_base_.data_root,
    data_prefix=dict(img_path='RAND_CITYSCAPES/RGB', seg_map_path='synthia_masks'),
    pipeline=[*_base_.load, *_base_.augmentation, _base_.pack],  # 1280x760, as they are
)
train_dataloader = dict(dataset=dict(labeled=source, unlabeled=dict(metainfo=metainfo)))
val_dataloader = dict(dataset=dict(metainfo=metainfo))
test_dataloader = val_dataloader
val_evaluator = dict(
    metric=dict(
        type='mmdmt.SubsetIoUMetric',
        subsets=dict(mIoU13=[*ground, *signs, *rest]),
    )
)
test_evaluator = val_evaluator

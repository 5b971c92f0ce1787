# VOC 2012, all 10 582 images labeled, for one ordinary segmentor.
_base_ = 'voc12aug.py'
train_dataloader = dict(
    _delete_=True,
    batch_size=8,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        _base_.train_dataloader.dataset.labeled,
        ann_file='ImageSets/Segmentation/trainaug.txt',
    ),
)
val_evaluator = dict(_delete_=True, type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator

# What all data of mutual training have in common: how peers draw, and that each of them and the ensemble are evaluated.
train_dataloader = dict(
    batch_size=8,  # images of each peer
    num_workers=4,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    batch_sampler=dict(type='mmdmt.MutualBatchSampler'),
    dataset=dict(type='mmdmt.MutualDataset'),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='mmdmt.PeerMetric', metric=dict(type='IoUMetric', iou_metrics=['mIoU']))
test_evaluator = val_evaluator

# Scenes of handwritten digits: 40 labelled, 600 unlabelled, 200 to validate on. Nothing to download.
dataset_type = 'mmdmt.DigitScenes'
crop_size = (48, 48)
train_pipeline = [
    dict(type='mmdmt.LoadSceneImage'),
    dict(type='mmdmt.LoadSceneAnnotations'),
    dict(type='RandomResize', scale=(48, 48), ratio_range=(0.8, 1.25), keep_ratio=True),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='PackSegInputs'),
]
val_pipeline = [
    dict(type='mmdmt.LoadSceneImage'),
    dict(type='mmdmt.LoadSceneAnnotations'),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(
    batch_size=8,  # images of each peer
    num_workers=0,  # a scene is rendered faster than a worker could hand it over
    sampler=dict(type='InfiniteSampler', shuffle=True),
    batch_sampler=dict(type='mmdmt.MutualBatchSampler'),
    dataset=dict(
        type='mmdmt.MutualDataset',
        labeled=dict(type=dataset_type, split='labeled', pipeline=train_pipeline),
        unlabeled=dict(type=dataset_type, split='unlabeled'),
    ),
)
val_dataloader = dict(
    batch_size=50,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type=dataset_type, split='val', pipeline=val_pipeline),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='mmdmt.PeerMetric', metric=dict(type='IoUMetric', iou_metrics=['mIoU']))
test_evaluator = val_evaluator

# Handwritten digits: 40 labeled, 1257 unlabeled, 500 to validate on. Nothing to download.
dataset = dict(type='mmdmt.Digits', labels_per_class=4, val_per_class=50, size=8)
augment = [dict(type='RandomCrop', crop_size=8, padding=1)]
pack = [dict(type='PackInputs')]
train_dataloader = dict(
    batch_size=32,  # images of each peer
    num_workers=0,  # the images are in memory
    persistent_workers=False,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    batch_sampler=dict(type='mmdmt.MutualBatchSampler'),
    dataset=dict(
        type='mmdmt.MutualDataset',
        labeled=dict(dataset, part='labeled', pipeline=augment + pack),
        unlabeled=dict(dataset, part='unlabeled'),
    ),
)
val_dataloader = dict(
    batch_size=250,
    num_workers=0,
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(dataset, part='val', pipeline=pack, test_mode=True),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='mmdmt.PeerMetric', metric=dict(type='Accuracy'))
test_evaluator = val_evaluator

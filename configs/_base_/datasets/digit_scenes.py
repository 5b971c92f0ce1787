# Scenes of handwritten digits: 40 labeled, 600 unlabeled, 200 to validate on. Nothing to download.
_base_ = 'mutual.py'
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
    num_workers=0,  # a scene is rendered faster than a worker could hand it over
    dataset=dict(
        labeled=dict(type=dataset_type, split='labeled', pipeline=train_pipeline),
        unlabeled=dict(type=dataset_type, split='unlabeled'),
    ),
)
val_dataloader = dict(
    batch_size=50,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(type=dataset_type, split='val', pipeline=val_pipeline),
)
test_dataloader = val_dataloader

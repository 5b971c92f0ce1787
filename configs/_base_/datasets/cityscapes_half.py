# Cityscapes at half its resolution, as in the paper: image and ground truth are resized to 512x1024 first, also for
# validation, so that mIoU is of that size and does not compare with numbers of the full one.
_base_ = 'cityscapes.py'
half = dict(type='Resize', scale=(1024, 512))
augmentation = [
    dict(type='mmdmt.RandomScale', min_factor=0.5, max_factor=1.5),
    dict(type='RandomCrop', crop_size=(256, 512)),
    dict(type='RandomFlip', prob=0.5),
]
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    half,
    *augmentation,
    dict(type='PackSegInputs'),
]
# Written out because images are labeled at the size that they have where LoadPseudoLabel stands.
unlabeled_pipeline = [
    dict(type='LoadImageFromFile'),
    half,
    dict(type='mmdmt.LoadPseudoLabel'),
    *augmentation,
    dict(type='mmdmt.PackPseudoLabel'),
]
val_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    half,
    dict(type='mmdmt.EvaluateAtThisSize'),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(
    dataset=dict(labeled=dict(pipeline=train_pipeline), unlabeled=dict(pipeline=unlabeled_pipeline))
)
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = val_dataloader
crop_size = (256, 512)

# CamVid at 240x180: 367 images to train on, 101 to validate on, 11 classes. A config says which of the first are
# labeled. How to get the data and make the lists: configs/camvid/README.md.
_base_ = 'mutual.py'
dataset_type = 'mmdmt.CamVidDataset'
data_root = 'data/camvid_240x180'
crop_size = (128, 128)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='mmdmt.RandomScale', min_factor=0.5, max_factor=2.0),
    dict(type='RandomCrop', crop_size=crop_size),  # the data preprocessors pad what is smaller
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
val_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(
    num_workers=0,  # an image of this size is read in 2 ms
    dataset=dict(
        labeled=dict(
            type=dataset_type,
            data_root=data_root,
            data_prefix=dict(img_path='train', seg_map_path='trainannot'),
            pipeline=train_pipeline,
        ),
        unlabeled=dict(type=dataset_type, data_root=data_root, data_prefix=dict(img_path='train')),
    ),
)
val_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='val', seg_map_path='valannot'),
        pipeline=val_pipeline,
    ),
)
test_dataloader = val_dataloader

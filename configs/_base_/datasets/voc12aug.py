# PASCAL VOC 2012 with the masks of SBD: 10 582 images to train on, 1449 to validate on, 21 classes. A config says which
# of the first are labeled. How to get the data and make the lists: configs/voc/README.md.
_base_ = 'mutual.py'
dataset_type = 'PascalVOCDataset'
data_root = 'data/VOCdevkit/VOC2012'
crop_size = (321, 321)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='mmdmt.RandomScale', min_factor=0.5, max_factor=1.5),
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
    dataset=dict(
        labeled=dict(
            type=dataset_type,
            data_root=data_root,
            data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClassAug'),
            pipeline=train_pipeline,
        ),
        unlabeled=dict(type=dataset_type, data_root=data_root, data_prefix=dict(img_path='JPEGImages')),
    ),
)
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClassAug'),
        ann_file='ImageSets/Segmentation/val.txt',
        pipeline=val_pipeline,
    ),
)
test_dataloader = val_dataloader

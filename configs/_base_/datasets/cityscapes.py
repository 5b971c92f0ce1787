# Cityscapes at its full resolution, 1024x2048: 2975 images to train on, 500 to validate on, 19 classes. Which of the
# first are labelled is said by cityscapes_1of*.py. How to get the data and make the lists: configs/dmt/README.md.
dataset_type = 'CityscapesDataset'
data_root = 'data/cityscapes/'
splits = __import__('os').path.abspath('splits')  # outside the data set; see voc12aug.py
crop_size = (769, 769)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='RandomResize', scale=(2048, 1024), ratio_range=(0.5, 2.0), keep_ratio=True),
    dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='PackSegInputs'),
]
val_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(
    batch_size=8,  # images of each peer
    num_workers=8,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    batch_sampler=dict(type='mmdmt.MutualBatchSampler'),
    dataset=dict(
        type='mmdmt.MutualDataset',
        labeled=dict(
            type=dataset_type,
            data_root=data_root,
            data_prefix=dict(img_path='leftImg8bit/train', seg_map_path='gtFine/train'),
            pipeline=train_pipeline,
        ),
        unlabeled=dict(type=dataset_type, data_root=data_root, data_prefix=dict(img_path='leftImg8bit/train')),
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='leftImg8bit/val', seg_map_path='gtFine/val'),
        pipeline=val_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='mmdmt.PeerMetric', metric=dict(type='IoUMetric', iou_metrics=['mIoU']))
test_evaluator = val_evaluator

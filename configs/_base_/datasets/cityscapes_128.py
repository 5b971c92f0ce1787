# Cityscapes squeezed to 128x128 pixels: 2975 images of which a config says how many are labeled; 500 to validate on.
# How to get the data and the lists: configs/cityscapes256/README.md.
_base_ = 'mutual.py'
dataset_type = 'CityscapesDataset'  # for its classes
data_root = 'data/cityscapes_128'
crop_size = (80, 80)
frequent = ['road', 'sidewalk', 'building', 'vegetation', 'terrain', 'sky', 'car', 'person']
rare = [
    'wall',
    'fence',
    'pole',
    'traffic light',
    'traffic sign',
    'rider',
    'truck',
    'bus',
    'train',
    'motorcycle',
    'bicycle',
]
folders = dict(img_path='images', seg_map_path='masks')
load = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
train_pipeline = [
    *load,
    dict(type='mmdmt.RandomScale', min_factor=0.75, max_factor=1.5),
    dict(type='RandomCrop', crop_size=crop_size),  # the data preprocessors pad what is smaller
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
val_pipeline = [*load, dict(type='PackSegInputs')]
suffixes = dict(img_suffix='.png', seg_map_suffix='.png')
train_dataloader = dict(
    num_workers=0,  # an image of this size is read in less than a millisecond
    dataset=dict(
        labeled=dict(
            type=dataset_type,
            data_root=data_root,
            data_prefix=folders,
            pipeline=train_pipeline,
            **suffixes,
        ),
        # Masks of unlabeled images are there to report how right their labels are, and for the oracle.
        unlabeled=dict(type=dataset_type, data_root=data_root, data_prefix=folders, **suffixes),
    ),
)
val_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        type=dataset_type,
        data_prefix=dict(img_path=f'{data_root}/images', seg_map_path=f'{data_root}/masks'),
        ann_file='splits/cityscapes/val.txt',  # without data_root all paths are of the folder in which the run starts
        pipeline=val_pipeline,
        **suffixes,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(metric=dict(type='mmdmt.SubsetIoUMetric', subsets=dict(mIoU_frequent=frequent, mIoU_rare=rare)))
test_evaluator = val_evaluator

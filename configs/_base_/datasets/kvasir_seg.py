# Kvasir-SEG: 880 images of the official training list, of which a config says how many are labeled; 120 to validate on.
# How to get the data and make the lists: configs/polyps/README.md.
_base_ = 'mutual.py'
data_root = 'data'
crop_size = (352, 352)
resize = dict(type='Resize', scale=crop_size)
augmentation = [
    dict(type='mmdmt.RandomScale', min_factor=0.75, max_factor=1.25),
    dict(type='RandomCrop', crop_size=crop_size),  # the data preprocessors pad what is smaller
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomFlip', prob=0.5, direction='vertical'),
    dict(type='PhotoMetricDistortion'),
]
folders = dict(img_path='kvasir-seg/images', seg_map_path='kvasir-seg_masks')
train_dataloader = dict(
    dataset=dict(
        labeled=dict(
            type='mmdmt.KvasirSEGDataset',
            data_root=data_root,
            data_prefix=folders,
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadAnnotations'),
                resize,
                *augmentation,
                dict(type='PackSegInputs'),
            ],
        ),
        unlabeled=dict(
            type='mmdmt.KvasirSEGDataset',
            data_root=data_root,
            data_prefix=dict(img_path='kvasir-seg/images'),
            # Images are labeled at the size that they have where LoadPseudoLabel stands.
            pipeline=[
                dict(type='LoadImageFromFile'),
                resize,
                dict(type='mmdmt.LoadPseudoLabel'),
                *augmentation,
                dict(type='mmdmt.PackPseudoLabel'),
            ],
        ),
    ),
)
val_dataloader = dict(
    dataset=dict(
        type='mmdmt.KvasirSEGDataset',
        data_root=data_root,
        data_prefix=folders,
        ann_file='kvasir-seg/val.txt',
        # The mask is not resized: predictions are brought to the size of the image.
        pipeline=[
            dict(type='LoadImageFromFile'),
            resize,
            dict(type='LoadAnnotations'),
            dict(type='PackSegInputs'),
        ],
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(metric=dict(iou_metrics=['mIoU', 'mDice']))
test_evaluator = val_evaluator

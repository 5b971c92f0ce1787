# From GTA5 (source: 24 966 labeled images) to Cityscapes (target: 2975 without labels), 19 classes; validation on the
# 500 images of Cityscapes, in full size. How to get the data: configs/domain_adaptation/README.md.
_base_ = 'mutual.py'
data_root = 'data'
crop_size = (512, 512)
augmentation = [
    dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
]
half = dict(type='Resize', scale=(1024, 512))
load = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
pack = dict(type='PackSegInputs')
source = dict(
    type='mmdmt.GTADataset',
    data_root=data_root,
    data_prefix=dict(img_path='gta/images', seg_map_path='gta_masks'),
    pipeline=[*load, dict(type='Resize', scale=(1280, 720)), *augmentation, pack],
)
unlabeled_target = dict(
    type='CityscapesDataset',
    data_root=data_root,
    data_prefix=dict(img_path='cityscapes/leftImg8bit/train'),
    # Images are labeled at the size that they have where LoadPseudoLabel stands.
    pipeline=[
        dict(type='LoadImageFromFile'),
        half,
        dict(type='mmdmt.LoadPseudoLabel'),
        *augmentation,
        dict(type='mmdmt.PackPseudoLabel'),
    ],
)
train_dataloader = dict(
    num_workers=8,
    dataset=dict(labeled=source, unlabeled=unlabeled_target),
)
val_dataloader = dict(
    dataset=dict(
        type='CityscapesDataset',
        data_root=data_root,
        data_prefix=dict(img_path='cityscapes/leftImg8bit/val', seg_map_path='cityscapes/gtFine/val'),
        # The ground truth is not resized: predictions are brought to its size, 1024x2048.
        pipeline=[dict(type='LoadImageFromFile'), half, dict(type='LoadAnnotations'), pack],
    ),
)
test_dataloader = val_dataloader

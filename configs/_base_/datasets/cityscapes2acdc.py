# From Cityscapes (source: 2975 labeled images of clear days) to ACDC (target: 1600 images in fog, at night, in rain and
# in snow, without labels), 19 classes; validation on its 406, in full size. Its test set has no published labels:
# tools/test.py writes the masks for the test server. How to get the data: configs/domain_adaptation/README.md.
_base_ = 'mutual.py'
data_root = 'data'
crop_size = (512, 512)
augmentation = [
    dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
]
half = dict(type='Resize', scale=(960, 540))
load = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
pack = dict(type='PackSegInputs')
source = dict(
    type='CityscapesDataset',
    data_root=data_root,
    data_prefix=dict(img_path='cityscapes/leftImg8bit/train', seg_map_path='cityscapes/gtFine/train'),
    pipeline=[*load, dict(type='Resize', scale=(1024, 512)), *augmentation, pack],
)
# Images are labeled at the size that they have where LoadPseudoLabel stands.
label = [dict(type='LoadImageFromFile'), half, dict(type='mmdmt.LoadPseudoLabel')]
unlabeled_pipeline = [*label, *augmentation, dict(type='mmdmt.PackPseudoLabel')]
target = dict(type='mmdmt.ACDCDataset', data_root=data_root)
images = dict(img_path='acdc/rgb_anon')
unlabeled = dict(target, part='train', data_prefix=images, pipeline=unlabeled_pipeline)
train_dataloader = dict(num_workers=8, dataset=dict(labeled=source, unlabeled=unlabeled))
# The ground truth is not resized: predictions are brought to its size, 1080x1920.
val_pipeline = [dict(type='LoadImageFromFile'), half, dict(type='LoadAnnotations'), pack]
masked = dict(images, seg_map_path='acdc/gt')
val_dataloader = dict(dataset=dict(target, part='val', data_prefix=masked, pipeline=val_pipeline))
test_pipeline = [dict(type='LoadImageFromFile'), half, pack]
test_dataloader = dict(dataset=dict(target, part='test', data_prefix=images, pipeline=test_pipeline))
test_evaluator = dict(metric=dict(format_only=True, output_dir='acdc_test'))

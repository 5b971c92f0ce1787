average = dict(
    ema_type='MomentumAnnealingEMA',
    gamma=1,
    momentum=0.004,
    type='EMAHook',
    update_buffers=True)
backbone = dict(
    features_only=True,
    model_name='tf_efficientnet_lite0',
    type='mmpretrain.TIMMBackbone')
class_mix = [
    dict(type='mmdmt.ClassMix'),
]
crop_size = (
    128,
    128,
)
custom_hooks = [
    dict(
        labeling=dict(num_workers=0),
        phases=[
            dict(
                iters=1000,
                labeled=8,
                online=dict(labeler='average', min_confidence=0.7),
                pseudo=4),
        ],
        rare_classes=dict(min_pixels=30, temperature=0.1),
        type='mmdmt.DMTHook'),
    dict(images=2, type='mmdmt.PictureHook', val_images=2),
    dict(
        ema_type='MomentumAnnealingEMA',
        gamma=1,
        momentum=0.01,
        type='EMAHook',
        update_buffers=True),
]
custom_imports = dict(
    allow_failed_imports=False, imports=[
        'mmdmt',
    ])
cutmix = [
    dict(type='mmdmt.CutMix'),
]
data_preprocessor = dict(
    bgr_to_rgb=True,
    mean=[
        127.0,
        127.0,
        127.0,
    ],
    pad_val=0,
    seg_pad_val=255,
    size=(
        128,
        128,
    ),
    std=[
        128.0,
        128.0,
        128.0,
    ],
    type='SegDataPreProcessor')
data_root = 'data/camvid_240x180'
dataset_type = 'mmdmt.CamVidDataset'
default_hooks = dict(
    checkpoint=dict(
        by_epoch=False,
        interval=100000,
        max_keep_ckpts=1,
        type='CheckpointHook'),
    logger=dict(interval=50, log_metric_by_epoch=False, type='LoggerHook'),
    param_scheduler=dict(type='ParamSchedulerHook'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    timer=dict(type='IterTimerHook'),
    visualization=dict(type='SegVisualizationHook'))
default_scope = 'mmseg'
env_cfg = dict(
    cudnn_benchmark=True,
    dist_cfg=dict(backend='nccl'),
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0))
head = dict(
    align_corners=False,
    dropout_ratio=0.1,
    loss_decode=dict(type='CrossEntropyLoss'),
    norm_cfg=dict(type='BN'),
    num_classes=11)
hook = dict(
    labeling=dict(num_workers=0),
    phases=[
        dict(labeled=12),
        dict(labeled=8, pseudo=4),
    ],
    rare_classes=dict(min_pixels=30, temperature=0.1),
    type='mmdmt.DMTHook')
launcher = 'none'
lists = 'splits/camvid/day2dusk'
lite0 = dict(
    backbone=dict(
        features_only=True,
        init_cfg=dict(
            package='efficientnet-lite0', type='mmdmt.PackagedWeights'),
        model_name='tf_efficientnet_lite0',
        out_indices=(
            1,
            2,
            3,
            4,
        ),
        type='mmpretrain.TIMMBackbone'),
    data_preprocessor=dict(
        bgr_to_rgb=True,
        mean=[
            127.0,
            127.0,
            127.0,
        ],
        pad_val=0,
        seg_pad_val=255,
        size=(
            128,
            128,
        ),
        std=[
            128.0,
            128.0,
            128.0,
        ],
        type='SegDataPreProcessor'),
    decode_head=dict(
        align_corners=False,
        channels=64,
        dropout_ratio=0.1,
        feature_strides=[
            4,
            8,
            16,
            32,
        ],
        in_channels=[
            64,
            64,
            64,
            64,
        ],
        in_index=[
            0,
            1,
            2,
            3,
        ],
        loss_decode=dict(type='CrossEntropyLoss'),
        norm_cfg=dict(type='BN'),
        num_classes=11,
        type='FPNHead'),
    neck=dict(
        in_channels=[
            24,
            40,
            112,
            320,
        ],
        num_outs=4,
        out_channels=64,
        start_level=0,
        type='FPN'),
    test_cfg=dict(mode='whole'),
    train_cfg=dict(),
    type='EncoderDecoder')
lite1 = dict(
    backbone=dict(
        features_only=True,
        init_cfg=dict(
            package='efficientnet-lite1', type='mmdmt.PackagedWeights'),
        model_name='tf_efficientnet_lite1',
        out_indices=(
            1,
            4,
        ),
        type='mmpretrain.TIMMBackbone'),
    data_preprocessor=dict(
        bgr_to_rgb=True,
        mean=[
            127.0,
            127.0,
            127.0,
        ],
        pad_val=0,
        seg_pad_val=255,
        size=(
            128,
            128,
        ),
        std=[
            128.0,
            128.0,
            128.0,
        ],
        type='SegDataPreProcessor'),
    decode_head=dict(
        align_corners=False,
        c1_channels=24,
        c1_in_channels=24,
        channels=96,
        dilations=(
            1,
            3,
            6,
            9,
        ),
        dropout_ratio=0.1,
        in_channels=320,
        in_index=1,
        loss_decode=dict(type='CrossEntropyLoss'),
        norm_cfg=dict(type='BN'),
        num_classes=11,
        type='DepthwiseSeparableASPPHead'),
    test_cfg=dict(mode='whole'),
    train_cfg=dict(),
    type='EncoderDecoder')
load_from = None
log_level = 'INFO'
log_processor = dict(by_epoch=False)
mixes = [
    dict(type='mmdmt.ClassMix'),
    dict(type='mmdmt.CutMix'),
]
mmdmt_version = '0.1.0'
model = dict(
    channels_last=True,
    loss=dict(
        class_weight=[
            0.9,
            0.8,
            3.4,
            0.6,
            1.8,
            1.1,
            3.3,
            6.6,
            1.4,
            5.3,
            9.7,
        ],
        gamma_agree=1.0,
        gamma_disagree=1.0,
        type='mmdmt.DynamicMutualLoss'),
    mixes=[
        dict(type='mmdmt.ClassMix'),
        dict(type='mmdmt.CutMix'),
    ],
    peers=dict(
        lite0=dict(
            backbone=dict(
                features_only=True,
                init_cfg=dict(
                    package='efficientnet-lite0',
                    type='mmdmt.PackagedWeights'),
                model_name='tf_efficientnet_lite0',
                out_indices=(
                    1,
                    2,
                    3,
                    4,
                ),
                type='mmpretrain.TIMMBackbone'),
            data_preprocessor=dict(
                bgr_to_rgb=True,
                mean=[
                    127.0,
                    127.0,
                    127.0,
                ],
                pad_val=0,
                seg_pad_val=255,
                size=(
                    128,
                    128,
                ),
                std=[
                    128.0,
                    128.0,
                    128.0,
                ],
                type='SegDataPreProcessor'),
            decode_head=dict(
                align_corners=False,
                channels=64,
                dropout_ratio=0.1,
                feature_strides=[
                    4,
                    8,
                    16,
                    32,
                ],
                in_channels=[
                    64,
                    64,
                    64,
                    64,
                ],
                in_index=[
                    0,
                    1,
                    2,
                    3,
                ],
                loss_decode=dict(type='CrossEntropyLoss'),
                norm_cfg=dict(type='BN'),
                num_classes=11,
                type='FPNHead'),
            neck=dict(
                in_channels=[
                    24,
                    40,
                    112,
                    320,
                ],
                num_outs=4,
                out_channels=64,
                start_level=0,
                type='FPN'),
            test_cfg=dict(mode='whole'),
            train_cfg=dict(),
            type='EncoderDecoder'),
        lite1=dict(
            backbone=dict(
                features_only=True,
                init_cfg=dict(
                    package='efficientnet-lite1',
                    type='mmdmt.PackagedWeights'),
                model_name='tf_efficientnet_lite1',
                out_indices=(
                    1,
                    4,
                ),
                type='mmpretrain.TIMMBackbone'),
            data_preprocessor=dict(
                bgr_to_rgb=True,
                mean=[
                    127.0,
                    127.0,
                    127.0,
                ],
                pad_val=0,
                seg_pad_val=255,
                size=(
                    128,
                    128,
                ),
                std=[
                    128.0,
                    128.0,
                    128.0,
                ],
                type='SegDataPreProcessor'),
            decode_head=dict(
                align_corners=False,
                c1_channels=24,
                c1_in_channels=24,
                channels=96,
                dilations=(
                    1,
                    3,
                    6,
                    9,
                ),
                dropout_ratio=0.1,
                in_channels=320,
                in_index=1,
                loss_decode=dict(type='CrossEntropyLoss'),
                norm_cfg=dict(type='BN'),
                num_classes=11,
                type='DepthwiseSeparableASPPHead'),
            test_cfg=dict(mode='whole'),
            train_cfg=dict(),
            type='EncoderDecoder')),
    type='mmdmt.DynamicMutualTraining')
model_wrapper_cfg = dict(type='MMSeparateDistributedDataParallel')
norm_cfg = dict(type='BN')
online = dict(labeler='average', min_confidence=0.0)
optim_wrapper = dict(
    constructor='mmdmt.PeerOptimWrapperConstructor',
    optimizer=dict(lr=0.0006, type='AdamW', weight_decay=0.01),
    paramwise_cfg=dict(
        custom_keys=dict(
            decode_head=dict(lr_mult=5.0), neck=dict(lr_mult=5.0))),
    type='OptimWrapper')
param_scheduler = [
    dict(by_epoch=False, eta_min=0.0, power=0.9, type='PolyLR'),
]
phases = [
    dict(labeled=8),
    dict(labeled=4, lr_factor=0.5, pseudo=4),
]
randomness = dict(seed=11)
rare = dict(min_pixels=30, temperature=0.1)
resume = False
splits = 'splits'
strong_views = [
    dict(
        prob=0.8,
        transforms=[
            dict(
                brightness=0.5,
                contrast=0.5,
                hue=0.25,
                saturation=0.5,
                type='mmpretrain.ColorJitter'),
        ],
        type='RandomApply'),
    dict(
        color_format='bgr',
        keep_channels=True,
        prob=0.2,
        type='RandomGrayscale'),
    dict(
        magnitude_range=(
            0.1,
            2.0,
        ),
        magnitude_std='inf',
        prob=0.5,
        type='mmpretrain.GaussianBlur'),
]
test_cfg = dict(type='TestLoop')
test_dataloader = dict(
    batch_size=1,
    dataset=dict(
        ann_file='splits/camvid/day2dusk/dusk_val.txt',
        data_prefix=dict(img_path='train', seg_map_path='trainannot'),
        data_root='data/camvid_240x180',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations'),
            dict(type='PackSegInputs'),
        ],
        type='mmdmt.CamVidDataset'),
    num_workers=0,
    persistent_workers=False,
    sampler=dict(shuffle=False, type='DefaultSampler'))
test_evaluator = dict(
    metric=dict(iou_metrics=[
        'mIoU',
    ], type='IoUMetric'),
    type='mmdmt.PeerMetric')
train_cfg = dict(max_iters=1000, type='IterBasedTrainLoop', val_interval=500)
train_dataloader = dict(
    batch_sampler=dict(type='mmdmt.MutualBatchSampler'),
    batch_size=12,
    dataset=dict(
        labeled=dict(
            ann_file='splits/camvid/day2dusk/day.txt',
            data_prefix=dict(img_path='train', seg_map_path='trainannot'),
            data_root='data/camvid_240x180',
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadAnnotations'),
                dict(max_factor=2.0, min_factor=0.5, type='mmdmt.RandomScale'),
                dict(crop_size=(
                    128,
                    128,
                ), type='RandomCrop'),
                dict(prob=0.5, type='RandomFlip'),
                dict(type='PackSegInputs'),
            ],
            type='mmdmt.CamVidDataset'),
        learner_view=[
            dict(
                prob=0.8,
                transforms=[
                    dict(
                        brightness=0.5,
                        contrast=0.5,
                        hue=0.25,
                        saturation=0.5,
                        type='mmpretrain.ColorJitter'),
                ],
                type='RandomApply'),
            dict(
                color_format='bgr',
                keep_channels=True,
                prob=0.2,
                type='RandomGrayscale'),
            dict(
                magnitude_range=(
                    0.1,
                    2.0,
                ),
                magnitude_std='inf',
                prob=0.5,
                type='mmpretrain.GaussianBlur'),
        ],
        type='mmdmt.MutualDataset',
        unlabeled=dict(
            ann_file='splits/camvid/day2dusk/dusk.txt',
            data_prefix=dict(img_path='train'),
            data_root='data/camvid_240x180',
            type='mmdmt.CamVidDataset')),
    num_workers=0,
    sampler=dict(shuffle=True, type='InfiniteSampler'))
train_part = dict(img_path='train', seg_map_path='trainannot')
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(max_factor=2.0, min_factor=0.5, type='mmdmt.RandomScale'),
    dict(crop_size=(
        128,
        128,
    ), type='RandomCrop'),
    dict(prob=0.5, type='RandomFlip'),
    dict(type='PackSegInputs'),
]
val_cfg = dict(type='ValLoop')
val_dataloader = dict(
    batch_size=1,
    dataset=dict(
        ann_file='splits/camvid/day2dusk/dusk_val.txt',
        data_prefix=dict(img_path='train', seg_map_path='trainannot'),
        data_root='data/camvid_240x180',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations'),
            dict(type='PackSegInputs'),
        ],
        type='mmdmt.CamVidDataset'),
    num_workers=0,
    persistent_workers=False,
    sampler=dict(shuffle=False, type='DefaultSampler'))
val_evaluator = dict(
    metric=dict(iou_metrics=[
        'mIoU',
    ], type='IoUMetric'),
    type='mmdmt.PeerMetric')
val_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
vis_backends = [
    dict(type='LocalVisBackend'),
]
visualizer = dict(
    name='visualizer',
    type='SegLocalVisualizer',
    vis_backends=[
        dict(type='LocalVisBackend'),
    ])
work_dir = 'runs/d2d-online-s11'

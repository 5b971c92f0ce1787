crop_size = (
    48,
    48,
)
custom_hooks = [
    dict(
        labeling=dict(batch_size=50, num_workers=0),
        phases=[
            dict(iters=400, labeled=8),
            dict(
                iters=1100,
                labeled=4,
                online=dict(labeler='weights'),
                pseudo=4),
        ],
        type='mmdmt.DMTHook'),
    dict(type='mmdmt.PictureHook'),
]
custom_imports = dict(
    allow_failed_imports=False, imports=[
        'mmdmt',
    ])
cutmix = [
    dict(type='mmdmt.CutMix'),
]
data_preprocessor = dict(
    mean=[
        127.5,
        127.5,
        127.5,
    ],
    pad_val=0,
    seg_pad_val=255,
    size=(
        48,
        48,
    ),
    std=[
        64.0,
        64.0,
        64.0,
    ],
    type='SegDataPreProcessor')
dataset_type = 'mmdmt.DigitScenes'
default_hooks = dict(
    checkpoint=dict(
        by_epoch=False,
        interval=100000,
        max_keep_ckpts=3,
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
    concat_input=False,
    dropout_ratio=0.1,
    init_cfg=dict(override=dict(name='conv_seg'), type='Xavier'),
    loss_decode=dict(type='CrossEntropyLoss'),
    norm_cfg=dict(type='BN'),
    num_classes=6,
    num_convs=1,
    type='FCNHead')
hook = dict(
    labeling=dict(batch_size=50, num_workers=0),
    phases=[
        dict(labeled=8),
        dict(labeled=4, pseudo=4),
    ],
    type='mmdmt.DMTHook')
launcher = 'none'
load_from = None
log_level = 'INFO'
log_processor = dict(by_epoch=False)
mmdmt_version = '0.1.0'
model = dict(
    loss=dict(
        gamma_agree=0.0, gamma_disagree=0.0, type='mmdmt.DynamicMutualLoss'),
    mixes=[
        dict(type='mmdmt.CutMix'),
    ],
    peers=dict(
        resnet=dict(
            backbone=dict(
                base_channels=24,
                depth=18,
                dilations=(
                    1,
                    2,
                    4,
                ),
                norm_cfg=dict(type='BN'),
                num_stages=3,
                out_indices=(2, ),
                stem_channels=24,
                strides=(
                    1,
                    1,
                    1,
                ),
                type='ResNet'),
            data_preprocessor=dict(
                mean=[
                    127.5,
                    127.5,
                    127.5,
                ],
                pad_val=0,
                seg_pad_val=255,
                size=(
                    48,
                    48,
                ),
                std=[
                    64.0,
                    64.0,
                    64.0,
                ],
                type='SegDataPreProcessor'),
            decode_head=dict(
                align_corners=False,
                channels=32,
                concat_input=False,
                dropout_ratio=0.1,
                in_channels=96,
                in_index=0,
                init_cfg=dict(override=dict(name='conv_seg'), type='Xavier'),
                loss_decode=dict(type='CrossEntropyLoss'),
                norm_cfg=dict(type='BN'),
                num_classes=6,
                num_convs=1,
                type='FCNHead'),
            test_cfg=dict(mode='whole'),
            train_cfg=dict(),
            type='EncoderDecoder'),
        unet=dict(
            backbone=dict(
                base_channels=12,
                dec_dilations=(
                    1,
                    1,
                ),
                dec_num_convs=(
                    2,
                    2,
                ),
                downsamples=(
                    True,
                    True,
                ),
                enc_dilations=(
                    1,
                    1,
                    1,
                ),
                enc_num_convs=(
                    2,
                    2,
                    2,
                ),
                norm_cfg=dict(type='BN'),
                num_stages=3,
                strides=(
                    1,
                    1,
                    1,
                ),
                type='UNet'),
            data_preprocessor=dict(
                mean=[
                    127.5,
                    127.5,
                    127.5,
                ],
                pad_val=0,
                seg_pad_val=255,
                size=(
                    48,
                    48,
                ),
                std=[
                    64.0,
                    64.0,
                    64.0,
                ],
                type='SegDataPreProcessor'),
            decode_head=dict(
                align_corners=False,
                channels=16,
                concat_input=False,
                dropout_ratio=0.1,
                in_channels=12,
                in_index=2,
                init_cfg=dict(override=dict(name='conv_seg'), type='Xavier'),
                loss_decode=dict(type='CrossEntropyLoss'),
                norm_cfg=dict(type='BN'),
                num_classes=6,
                num_convs=1,
                type='FCNHead'),
            test_cfg=dict(mode='whole'),
            train_cfg=dict(),
            type='EncoderDecoder')),
    type='mmdmt.DynamicMutualTraining')
model_wrapper_cfg = dict(type='MMSeparateDistributedDataParallel')
norm_cfg = dict(type='BN')
optim_wrapper = dict(
    constructor='mmdmt.PeerOptimWrapperConstructor',
    optimizer=dict(lr=0.002, type='AdamW', weight_decay=0.01),
    type='OptimWrapper')
param_scheduler = [
    dict(by_epoch=False, eta_min=0.0, power=0.9, type='PolyLR'),
]
phases = [
    dict(labeled=8),
    dict(labeled=2, lr_factor=0.5, pseudo=6),
]
randomness = dict(seed=4)
resnet = dict(
    backbone=dict(
        base_channels=24,
        depth=18,
        dilations=(
            1,
            2,
            4,
        ),
        norm_cfg=dict(type='BN'),
        num_stages=3,
        out_indices=(2, ),
        stem_channels=24,
        strides=(
            1,
            1,
            1,
        ),
        type='ResNet'),
    data_preprocessor=dict(
        mean=[
            127.5,
            127.5,
            127.5,
        ],
        pad_val=0,
        seg_pad_val=255,
        size=(
            48,
            48,
        ),
        std=[
            64.0,
            64.0,
            64.0,
        ],
        type='SegDataPreProcessor'),
    decode_head=dict(
        align_corners=False,
        channels=32,
        concat_input=False,
        dropout_ratio=0.1,
        in_channels=96,
        in_index=0,
        init_cfg=dict(override=dict(name='conv_seg'), type='Xavier'),
        loss_decode=dict(type='CrossEntropyLoss'),
        norm_cfg=dict(type='BN'),
        num_classes=6,
        num_convs=1,
        type='FCNHead'),
    test_cfg=dict(mode='whole'),
    train_cfg=dict(),
    type='EncoderDecoder')
resume = False
test_cfg = dict(type='TestLoop')
test_dataloader = dict(
    batch_size=50,
    dataset=dict(
        pipeline=[
            dict(type='mmdmt.LoadSceneImage'),
            dict(type='mmdmt.LoadSceneAnnotations'),
            dict(type='PackSegInputs'),
        ],
        split='val',
        type='mmdmt.DigitScenes'),
    num_workers=0,
    persistent_workers=False,
    sampler=dict(shuffle=False, type='DefaultSampler'))
test_evaluator = dict(
    metric=dict(iou_metrics=[
        'mIoU',
    ], type='IoUMetric'),
    type='mmdmt.PeerMetric')
train_cfg = dict(max_iters=1500, type='IterBasedTrainLoop', val_interval=500)
train_dataloader = dict(
    batch_sampler=dict(type='mmdmt.MutualBatchSampler'),
    batch_size=8,
    dataset=dict(
        labeled=dict(
            pipeline=[
                dict(type='mmdmt.LoadSceneImage'),
                dict(type='mmdmt.LoadSceneAnnotations'),
                dict(
                    keep_ratio=True,
                    ratio_range=(
                        0.8,
                        1.25,
                    ),
                    scale=(
                        48,
                        48,
                    ),
                    type='RandomResize'),
                dict(crop_size=(
                    48,
                    48,
                ), type='RandomCrop'),
                dict(type='PackSegInputs'),
            ],
            split='labeled',
            type='mmdmt.DigitScenes'),
        type='mmdmt.MutualDataset',
        unlabeled=dict(split='unlabeled', type='mmdmt.DigitScenes')),
    num_workers=0,
    sampler=dict(shuffle=True, type='InfiniteSampler'))
train_pipeline = [
    dict(type='mmdmt.LoadSceneImage'),
    dict(type='mmdmt.LoadSceneAnnotations'),
    dict(
        keep_ratio=True,
        ratio_range=(
            0.8,
            1.25,
        ),
        scale=(
            48,
            48,
        ),
        type='RandomResize'),
    dict(crop_size=(
        48,
        48,
    ), type='RandomCrop'),
    dict(type='PackSegInputs'),
]
unet = dict(
    backbone=dict(
        base_channels=12,
        dec_dilations=(
            1,
            1,
        ),
        dec_num_convs=(
            2,
            2,
        ),
        downsamples=(
            True,
            True,
        ),
        enc_dilations=(
            1,
            1,
            1,
        ),
        enc_num_convs=(
            2,
            2,
            2,
        ),
        norm_cfg=dict(type='BN'),
        num_stages=3,
        strides=(
            1,
            1,
            1,
        ),
        type='UNet'),
    data_preprocessor=dict(
        mean=[
            127.5,
            127.5,
            127.5,
        ],
        pad_val=0,
        seg_pad_val=255,
        size=(
            48,
            48,
        ),
        std=[
            64.0,
            64.0,
            64.0,
        ],
        type='SegDataPreProcessor'),
    decode_head=dict(
        align_corners=False,
        channels=16,
        concat_input=False,
        dropout_ratio=0.1,
        in_channels=12,
        in_index=2,
        init_cfg=dict(override=dict(name='conv_seg'), type='Xavier'),
        loss_decode=dict(type='CrossEntropyLoss'),
        norm_cfg=dict(type='BN'),
        num_classes=6,
        num_convs=1,
        type='FCNHead'),
    test_cfg=dict(mode='whole'),
    train_cfg=dict(),
    type='EncoderDecoder')
val_cfg = dict(type='ValLoop')
val_dataloader = dict(
    batch_size=50,
    dataset=dict(
        pipeline=[
            dict(type='mmdmt.LoadSceneImage'),
            dict(type='mmdmt.LoadSceneAnnotations'),
            dict(type='PackSegInputs'),
        ],
        split='val',
        type='mmdmt.DigitScenes'),
    num_workers=0,
    persistent_workers=False,
    sampler=dict(shuffle=False, type='DefaultSampler'))
val_evaluator = dict(
    metric=dict(iou_metrics=[
        'mIoU',
    ], type='IoUMetric'),
    type='mmdmt.PeerMetric')
val_pipeline = [
    dict(type='mmdmt.LoadSceneImage'),
    dict(type='mmdmt.LoadSceneAnnotations'),
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
warm_up = 400
work_dir = 'runs/cps-cutmix-warm-up-seed4'

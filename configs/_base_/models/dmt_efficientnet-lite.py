# Two small networks of different kinds and like strength, from ImageNet weights that come as packages:
# EfficientNet-Lite0 with a feature pyramid, EfficientNet-Lite1 with atrous convolutions in its head.
# mmdmt[photographs] installs what they need.
norm_cfg = dict(type='BN')
data_preprocessor = dict(
    type='SegDataPreProcessor',
    mean=[127.0] * 3,  # as the networks of the packages were trained
    std=[128.0] * 3,
    bgr_to_rgb=True,
    size=(128, 128),
    pad_val=0,
    seg_pad_val=255,
)
backbone = dict(type='mmpretrain.TIMMBackbone', model_name='tf_efficientnet_lite0', features_only=True)
head = dict(
    num_classes=11,
    dropout_ratio=0.1,
    norm_cfg=norm_cfg,
    align_corners=False,
    loss_decode=dict(type='CrossEntropyLoss'),
)
lite0 = dict(
    type='EncoderDecoder',
    data_preprocessor=data_preprocessor,
    backbone=dict(
        backbone,
        out_indices=(1, 2, 3, 4),
        init_cfg=dict(type='mmdmt.PackagedWeights', package='efficientnet-lite0'),
    ),
    neck=dict(type='FPN', in_channels=[24, 40, 112, 320], out_channels=64, start_level=0, num_outs=4),
    decode_head=dict(
        head,
        type='FPNHead',
        in_channels=[64] * 4,
        in_index=[0, 1, 2, 3],
        feature_strides=[4, 8, 16, 32],
        channels=64,
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
lite1 = dict(
    type='EncoderDecoder',
    data_preprocessor=data_preprocessor,
    backbone=dict(
        backbone,
        model_name='tf_efficientnet_lite1',
        out_indices=(1, 4),
        init_cfg=dict(type='mmdmt.PackagedWeights', package='efficientnet-lite1'),
    ),
    decode_head=dict(
        head,
        type='DepthwiseSeparableASPPHead',
        in_channels=320,
        in_index=1,
        channels=96,
        dilations=(1, 3, 6, 9),
        c1_in_channels=24,
        c1_channels=24,
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
model = dict(
    type='mmdmt.DynamicMutualTraining',
    peers=dict(lite0=lite0, lite1=lite1),
    channels_last=True,  # on a CPU, where it is a fifth faster
    loss=dict(
        type='mmdmt.DynamicMutualLoss',
        gamma_agree=3.0,
        gamma_disagree=3.0,
    ),
)

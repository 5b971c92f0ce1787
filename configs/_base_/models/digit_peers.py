# Two small networks of different kinds for scenes of 48x48 pixels: a U-Net and a dilated residual network.
norm_cfg = dict(type='BN')
data_preprocessor = dict(
    type='SegDataPreProcessor', mean=[127.5] * 3, std=[64.0] * 3, size=(48, 48), pad_val=0, seg_pad_val=255
)
head = dict(
    type='FCNHead',
    num_convs=1,
    concat_input=False,
    dropout_ratio=0.1,
    num_classes=6,
    norm_cfg=norm_cfg,
    align_corners=False,
    # The toolbox's std of 0.01 leaves these networks at "all background" for most of so short a training.
    init_cfg=dict(type='Xavier', override=dict(name='conv_seg')),
    loss_decode=dict(type='CrossEntropyLoss'),
)
unet = dict(
    type='EncoderDecoder',
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='UNet',
        base_channels=12,
        num_stages=3,
        strides=(1, 1, 1),
        enc_num_convs=(2, 2, 2),
        dec_num_convs=(2, 2),
        downsamples=(True, True),
        enc_dilations=(1, 1, 1),
        dec_dilations=(1, 1),
        norm_cfg=norm_cfg,
    ),
    decode_head=dict(head, in_channels=12, in_index=2, channels=16),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
resnet = dict(
    type='EncoderDecoder',
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='ResNet',
        depth=18,
        stem_channels=24,
        base_channels=24,
        num_stages=3,
        strides=(1, 1, 1),
        dilations=(1, 2, 4),
        out_indices=(2,),
        norm_cfg=norm_cfg,
    ),
    decode_head=dict(head, in_channels=96, in_index=0, channels=32),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
model = dict(
    type='mmdmt.DynamicMutualTraining',
    peers=dict(unet=unet, resnet=resnet),
    loss=dict(type='mmdmt.DynamicMutualLoss', gamma_agree=3.0, gamma_disagree=3.0),
)

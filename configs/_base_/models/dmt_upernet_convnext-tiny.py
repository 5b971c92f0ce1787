# UPerNet on MMPretrain's ConvNeXt-T, twice: peers that differ in what their backbones were pre-trained on, ImageNet-1k
# alone or ImageNet-21k before it, in their initial heads, and in the images they see.
weights = 'https://download.openmmlab.com/mmclassification/v0/convnext/'
norm_cfg = dict(type='SyncBN', requires_grad=True)
head = dict(
    dropout_ratio=0.1, num_classes=19, norm_cfg=norm_cfg, align_corners=False, loss_decode=dict(type='CrossEntropyLoss')
)
backbone = dict(
    type='mmpretrain.ConvNeXt',
    arch='tiny',
    out_indices=[0, 1, 2, 3],
    drop_path_rate=0.4,
    layer_scale_init_value=1.0,
    gap_before_final_norm=False,
    init_cfg=dict(
        type='Pretrained',
        checkpoint=weights + 'downstream/convnext-tiny_3rdparty_32xb128-noema_in1k_20220301-795e9634.pth',
        prefix='backbone.',
    ),
)
in1k = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
    ),
    backbone=backbone,
    decode_head=dict(
        head,
        type='UPerHead',
        in_channels=[96, 192, 384, 768],
        in_index=[0, 1, 2, 3],
        pool_scales=(1, 2, 3, 6),
        channels=512,
    ),
    auxiliary_head=dict(
        head,
        type='FCNHead',
        in_channels=384,
        in_index=2,
        channels=256,
        num_convs=1,
        concat_input=False,
        loss_decode=dict(type='CrossEntropyLoss', loss_weight=0.4),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
in21k_weights = weights + 'convnext-tiny_in21k-pre_3rdparty_in1k_20221219-7501e534.pth'
in21k = dict(in1k, backbone=dict(backbone, init_cfg=dict(backbone['init_cfg'], checkpoint=in21k_weights)))
model = dict(
    type='mmdmt.DynamicMutualTraining',
    peers=dict(in1k=in1k, in21k=in21k),
    loss=dict(type='mmdmt.DynamicMutualLoss', gamma_agree=5.0, gamma_disagree=5.0),
)

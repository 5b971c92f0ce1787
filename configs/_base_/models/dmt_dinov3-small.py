# DINOv3's ViT-S and ConvNeXt-T, each under UPerNet: two kinds of network, of one pre-training and like strength. timm
# has both; their weights are under the license of DINOv3.
norm_cfg = dict(type='SyncBN', requires_grad=True)
data_preprocessor = dict(
    type='SegDataPreProcessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255,
)
head = dict(
    type='UPerHead',
    in_index=[0, 1, 2, 3],
    pool_scales=(1, 2, 3, 6),
    channels=256,
    dropout_ratio=0.1,
    num_classes=21,
    norm_cfg=norm_cfg,
    align_corners=False,
    loss_decode=dict(type='CrossEntropyLoss'),
)
vit = dict(
    type='EncoderDecoder',
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='mmpretrain.TIMMBackbone',
        model_name='vit_small_patch16_dinov3',
        features_only=True,
        out_indices=(2, 5, 8, 11),
        init_cfg=dict(type='mmdmt.TimmWeights', model_name='vit_small_patch16_dinov3.lvd1689m'),
    ),
    neck=dict(type='Feature2Pyramid', embed_dim=384, rescales=[4, 2, 1, 0.5], norm_cfg=norm_cfg),
    decode_head=dict(head, in_channels=[384] * 4),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
convnext = dict(
    type='EncoderDecoder',
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='mmpretrain.TIMMBackbone',
        model_name='convnext_tiny',
        features_only=True,
        out_indices=(0, 1, 2, 3),
        init_cfg=dict(type='mmdmt.TimmWeights', model_name='convnext_tiny.dinov3_lvd1689m'),
    ),
    decode_head=dict(head, in_channels=[96, 192, 384, 768]),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
model = dict(
    type='mmdmt.DynamicMutualTraining',
    peers=dict(vit=vit, convnext=convnext),
    loss=dict(type='mmdmt.DynamicMutualLoss', gamma_agree=5.0, gamma_disagree=5.0),
)

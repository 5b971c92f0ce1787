# DINOv2's ViT-S, twice, with decoders of two kinds and like strength: UPerNet on a feature pyramid, and DPT.
weights = 'https://download.openmmlab.com/mmpretrain/v1.0/dinov2/'
norm_cfg = dict(type='SyncBN', requires_grad=True)
data_preprocessor = dict(
    type='SegDataPreProcessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255,
)
backbone = dict(
    type='mmpretrain.VisionTransformer',
    arch=dict(embed_dims=384, num_layers=12, num_heads=6, feedforward_channels=1536),  # ViT-S
    img_size=518,
    patch_size=14,
    layer_scale_init_value=1e-5,
    out_type='featmap',
    out_indices=(2, 5, 8, 11),
    init_cfg=dict(
        type='Pretrained',
        checkpoint=weights + 'vit-small-p14_dinov2-pre_3rdparty_20230426-5641ca5a.pth',
        prefix='backbone.',
    ),
)
head = dict(
    in_channels=[384] * 4,
    in_index=[0, 1, 2, 3],
    num_classes=21,
    norm_cfg=norm_cfg,
    align_corners=False,
    loss_decode=dict(type='CrossEntropyLoss'),
)
upernet = dict(
    type='EncoderDecoder',
    data_preprocessor=data_preprocessor,
    backbone=backbone,
    neck=dict(type='Feature2Pyramid', embed_dim=384, rescales=[4, 2, 1, 0.5], norm_cfg=norm_cfg),
    decode_head=dict(head, type='UPerHead', pool_scales=(1, 2, 3, 6), channels=256, dropout_ratio=0.1),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
dpt = dict(
    upernet,
    neck=dict(type='mmdmt.NoClassToken'),
    decode_head=dict(
        head,
        type='DPTHead',
        input_transform='multiple_select',
        embed_dims=384,
        post_process_channels=[48, 96, 192, 384],
        channels=64,
    ),
)
model = dict(
    type='mmdmt.DynamicMutualTraining',
    peers=dict(upernet=upernet, dpt=dpt),
    loss=dict(type='mmdmt.DynamicMutualLoss', gamma_agree=5.0, gamma_disagree=5.0),
)

# SegFormer-B0 and what makes B2 of it, from ImageNet weights, to take peers from.
segformer_weights = 'https://download.openmmlab.com/mmsegmentation/v0.5/pretrain/segformer/'
mit = dict(
    type='MixVisionTransformer',
    embed_dims=32,
    num_layers=(2, 2, 2, 2),
    num_heads=(1, 2, 5, 8),
    patch_sizes=(7, 3, 3, 3),
    sr_ratios=(8, 4, 2, 1),
    out_indices=(0, 1, 2, 3),
    qkv_bias=True,
    drop_path_rate=0.1,
)
segformer_head = dict(
    type='SegformerHead',
    in_channels=[32, 64, 160, 256],
    in_index=[0, 1, 2, 3],
    channels=256,
    dropout_ratio=0.1,
    num_classes=19,
    norm_cfg=dict(type='SyncBN', requires_grad=True),
    align_corners=False,
    loss_decode=dict(type='CrossEntropyLoss'),
)
segformer_b0 = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
    ),
    backbone=dict(mit, init_cfg=dict(type='Pretrained', checkpoint=segformer_weights + 'mit_b0_20220624-7e0fe6dd.pth')),
    decode_head=segformer_head,
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
# What makes B2 of B0.
mit_b2 = dict(
    backbone=dict(
        embed_dims=64,
        num_layers=(3, 4, 6, 3),
        init_cfg=dict(type='Pretrained', checkpoint=segformer_weights + 'mit_b2_20220624-66e8bf70.pth'),
    ),
    decode_head=dict(in_channels=[64, 128, 320, 512]),
)

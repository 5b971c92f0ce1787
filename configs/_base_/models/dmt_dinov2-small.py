# DINOv2's ViT-S, twice, with decoders of two kinds and like strength: UPerNet on a feature pyramid, and DPT.
_base_ = 'dino.py'
weights = 'https://download.openmmlab.com/mmpretrain/v1.0/dinov2/'
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
upernet = dict(
    _base_.segmentor,
    backbone=backbone,
    neck=_base_.vit_neck,
    decode_head=dict(_base_.head, in_channels=[384] * 4),
)
dpt = dict(
    _base_.segmentor,
    backbone=backbone,
    neck=dict(type='mmdmt.NoClassToken'),
    decode_head=dict(
        type='DPTHead',
        in_channels=[384] * 4,
        in_index=[0, 1, 2, 3],
        input_transform='multiple_select',
        embed_dims=384,
        post_process_channels=[48, 96, 192, 384],
        channels=64,
        num_classes=21,
        norm_cfg=_base_.norm_cfg,
        align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss'),
    ),
)
model = dict(
    type='mmdmt.DynamicMutualTraining',
    peers=dict(upernet=upernet, dpt=dpt),
    loss=dict(type='mmdmt.DynamicMutualLoss', gamma_agree=5.0, gamma_disagree=5.0),
)

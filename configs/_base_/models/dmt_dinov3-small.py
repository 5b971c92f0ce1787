# DINOv3's ViT-S and ConvNeXt-T, each under UPerNet: two kinds of network, of one pre-training and like strength. timm
# has both; their weights are under the license of DINOv3.
_base_ = 'dino.py'
timm = dict(type='mmpretrain.TIMMBackbone', features_only=True)
vit = dict(
    _base_.segmentor,
    backbone=dict(
        timm,
        model_name='vit_small_patch16_dinov3',
        out_indices=(2, 5, 8, 11),
        init_cfg=dict(type='mmdmt.TimmWeights', model_name='vit_small_patch16_dinov3.lvd1689m'),
    ),
    neck=_base_.vit_neck,
    decode_head=dict(_base_.head, in_channels=[384] * 4),
)
convnext = dict(
    _base_.segmentor,
    backbone=dict(
        timm,
        model_name='convnext_tiny',
        out_indices=(0, 1, 2, 3),
        init_cfg=dict(type='mmdmt.TimmWeights', model_name='convnext_tiny.dinov3_lvd1689m'),
    ),
    decode_head=dict(_base_.head, in_channels=[96, 192, 384, 768]),
)
model = dict(
    type='mmdmt.DynamicMutualTraining',
    peers=dict(vit=vit, convnext=convnext),
    loss=dict(type='mmdmt.DynamicMutualLoss', gamma_agree=5.0, gamma_disagree=5.0),
)

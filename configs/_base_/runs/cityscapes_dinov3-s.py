# DINOv3's ViT-S and ConvNeXt-T, in crops of 768: a multiple of their 16 pixels to a patch.
_base_ = ['cityscapes.py', '../models/dmt_dinov3-small.py', '../schedules/dino_adamw.py']
custom_imports = dict(imports=['mmdmt', 'mmpretrain.models'])
side = 768
peer = dict(
    data_preprocessor=dict(size=(side, side), test_cfg=dict(size_divisor=16)),  # timm refuses parts of patches
    decode_head=dict(num_classes=19),
    test_cfg=dict(mode='slide', crop_size=(side, side), stride=(512, 512)),
)
model = dict(peers=dict(vit=peer, convnext=peer), loss=dict(gamma_agree=3.0, gamma_disagree=3.0))
*before, crop, flip, colors, pack = _base_.train_pipeline
train_pipeline = [*before, dict(crop, crop_size=(side, side)), flip, colors, pack]
train_dataloader = dict(dataset=dict(labeled=dict(pipeline=train_pipeline)))
optim_wrapper = _base_.dino_adamw

# DINOv3's ViT-S and ConvNeXt-T, in crops of 512: a multiple of their 16 pixels to a patch.
_base_ = ['voc12aug_field.py', '../models/dmt_dinov3-small.py', '../schedules/dino_adamw.py']
custom_imports = dict(imports=['mmdmt', 'mmpretrain.models'])
side = 512
peer = dict(
    data_preprocessor=dict(size=(side, side), test_cfg=dict(size_divisor=16)),
    decode_head=dict(num_classes=21),
)
model = dict(peers=dict(vit=peer, convnext=peer))
*before, crop, flip, pack = _base_.train_pipeline
train_pipeline = [*before, dict(crop, crop_size=(side, side)), flip, pack]
train_dataloader = dict(dataset=dict(labeled=dict(pipeline=train_pipeline)))
optim_wrapper = _base_.dino_adamw

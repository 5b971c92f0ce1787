# DINOv3's ViT-S and ConvNeXt-T, in crops of 512: a multiple of their 16 pixels to a patch.
_base_ = ['voc12aug_field.py', '../models/dmt_dinov3-small.py', '../schedules/dino_adamw.py']
custom_imports = dict(imports=['mmdmt', 'mmpretrain.models'])
side = 512
peer = dict(
    data_preprocessor=dict(size=(side, side), test_cfg=dict(size_divisor=16)),
    decode_head=dict(num_classes=21),
)
model = dict(peers=dict(vit=peer, convnext=peer))
train_dataloader = __import__('mmdmt.configs').configs.crops(_base_, side)
optim_wrapper = _base_.dino_adamw

# Two DINOv2-S with different decoders, in crops of 518: a multiple of their 14 pixels to a patch.
_base_ = ['voc12aug_field.py', '../models/dmt_dinov2-small.py', '../schedules/dino_adamw.py']
custom_imports = dict(imports=['mmdmt', 'mmpretrain.models'])
side = 518
peer = dict(
    data_preprocessor=dict(size=(side, side), test_cfg=dict(size_divisor=14)),
    decode_head=dict(num_classes=21),
)
model = dict(peers=dict(upernet=peer, dpt=peer))
train_dataloader = __import__('mmdmt.configs').configs.crops(_base_, side)
optim_wrapper = _base_.dino_adamw

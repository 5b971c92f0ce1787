# Two DINOv2-S with different decoders, in crops of 798: a multiple of their 14 pixels to a patch.
_base_ = ['cityscapes.py', '../models/dmt_dinov2-small.py', '../schedules/dino_adamw.py']
custom_imports = dict(imports=['mmdmt', 'mmpretrain.models'])
side = 798
peer = dict(
    data_preprocessor=dict(size=(side, side)),
    decode_head=dict(num_classes=19),
    test_cfg=dict(mode='slide', crop_size=(side, side), stride=(532, 532)),
)
model = dict(peers=dict(upernet=peer, dpt=peer), loss=dict(gamma_agree=3.0, gamma_disagree=3.0))
*before, crop, flip, colors, pack = _base_.train_pipeline
train_pipeline = [*before, dict(crop, crop_size=(side, side)), flip, colors, pack]
train_dataloader = dict(dataset=dict(labeled=dict(pipeline=train_pipeline)))
optim_wrapper = _base_.dino_adamw

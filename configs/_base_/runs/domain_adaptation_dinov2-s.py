# Adaptation of two DINOv2-S with different decoders, on crops of 504x504: a multiple of their 14 pixels to a patch.
_base_ = [
    '../default_runtime.py',
    '../models/dmt_dinov2-small.py',
    '../schedules/dmt_domain_adaptation_40k.py',
    '../schedules/dino_adamw.py',
]
custom_imports = dict(imports=['mmdmt', 'mmpretrain.models'])
peer = dict(
    data_preprocessor=dict(size=(504, 504), test_cfg=dict(size_divisor=14)),
    decode_head=dict(num_classes=19),
)
model = dict(peers=dict(upernet=peer, dpt=peer), loss=dict(gamma_agree=3.0, gamma_disagree=3.0))
optim_wrapper = _base_.dino_adamw

# Adaptation of SegFormer-B2 and a ConvNeXt-T to a domain that a config names, on crops of 512x512.
_base_ = [
    '../default_runtime.py',
    '../models/dmt_segformer-b2_upernet-convnext-t.py',
    '../schedules/dmt_domain_adaptation_40k.py',
]
custom_imports = dict(imports=['mmdmt', 'mmpretrain.models'])
size = dict(size=(512, 512))
model = dict(
    peers=dict(segformer=dict(data_preprocessor=size), convnext=dict(data_preprocessor=size)),
    loss=dict(gamma_agree=3.0, gamma_disagree=3.0),
)

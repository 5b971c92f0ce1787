# Cityscapes -> ACDC, 19 classes: clear days with labels; fog, night, rain and snow without. Not in the paper.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/dmt_segformer-b2_upernet-convnext-t.py',
    '../_base_/datasets/cityscapes2acdc.py',
    '../_base_/schedules/dmt_domain_adaptation_40k.py',
]
custom_imports = dict(imports=['mmdmt', 'mmpretrain.models'])
size = dict(size=(512, 512))
model = dict(
    peers=dict(
        segformer=dict(data_preprocessor=size),
        convnext=dict(data_preprocessor=size),
    ),
    loss=dict(gamma_agree=3.0, gamma_disagree=3.0),
)

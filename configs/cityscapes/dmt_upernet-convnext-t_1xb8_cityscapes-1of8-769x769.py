# Cityscapes at full resolution, 1/8: two networks on MMPretrain's ConvNeXt-T. As the paper's, the peers differ in what
# they were pre-trained on: here ImageNet-1k alone, or ImageNet-21k before it. Not in the paper.
_base_ = [
    '../_base_/runs/cityscapes_1of8.py',
    '../_base_/models/dmt_upernet_convnext-tiny.py',
    '../_base_/schedules/convnext_adamw.py',
]
custom_imports = dict(imports=['mmdmt', 'mmpretrain.models'])
model = __import__('mmdmt.configs').configs.peers(_base_, 769, stride=513)
model['loss'] = dict(gamma_agree=3.0, gamma_disagree=3.0)
optim_wrapper = dict(peers=dict(in1k=_base_.convnext_adamw, in21k=_base_.convnext_adamw))

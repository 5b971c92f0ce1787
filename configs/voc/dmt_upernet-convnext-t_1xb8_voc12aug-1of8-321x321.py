# VOC 2012, 1/8: two networks on MMPretrain's ConvNeXt-T, in the paper's phases. As the paper's, they differ in what
# they were pre-trained on: here ImageNet-1k alone, or ImageNet-21k before it. Not in the paper.
_base_ = [
    '../_base_/runs/voc12aug_1of8.py',
    '../_base_/models/dmt_upernet_convnext-tiny.py',
    '../_base_/schedules/convnext_adamw.py',
]
custom_imports = dict(imports=['mmdmt', 'mmpretrain.models'])
model = __import__('mmdmt.configs').configs.peers(_base_, 321, num_classes=21, padded=505)
optim_wrapper = dict(peers=dict(in1k=_base_.convnext_adamw, in21k=_base_.convnext_adamw))

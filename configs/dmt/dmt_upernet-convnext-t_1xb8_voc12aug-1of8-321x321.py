# VOC 2012, 1/8: two networks on MMPretrain's ConvNeXt-T, in the paper's phases. As the paper's, they differ in what
# they were pre-trained on: here ImageNet-1k alone, or ImageNet-21k before it. Not in the paper.
_base_ = [
    '../_base_/runs/voc12aug_1of8.py',
    '../_base_/models/dmt_upernet_convnext-tiny.py',
    '../_base_/schedules/convnext_adamw.py',
]
custom_imports = dict(imports=['mmdmt', 'mmpretrain.models'])
head = dict(num_classes=21)
voc = dict(
    data_preprocessor=dict(size=(321, 321), test_cfg=dict(size=(505, 505))), decode_head=head, auxiliary_head=head
)
model = dict(peers=dict(in1k=voc, in21k=voc))
optim_wrapper = dict(peers=dict(in1k=_base_.convnext_adamw, in21k=_base_.convnext_adamw))

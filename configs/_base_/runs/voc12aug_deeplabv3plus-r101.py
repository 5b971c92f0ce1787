# DeepLabV3+ on a ResNet-101, twice, in crops of 321.
_base_ = ['voc12aug_field.py', '../models/dmt_deeplabv3plus_r50-d8.py']
voc = dict(
    pretrained='open-mmlab://resnet101_v1c',
    data_preprocessor=dict(size=(321, 321), test_cfg=dict(size_divisor=8)),
    backbone=dict(depth=101),
    decode_head=dict(num_classes=21),
    auxiliary_head=dict(num_classes=21),
)
model = dict(peers=dict(left=voc, right=voc))

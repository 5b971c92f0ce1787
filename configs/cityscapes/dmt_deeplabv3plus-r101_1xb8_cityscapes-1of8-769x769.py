# As with ResNet-50, on ResNet-101, the backbone of most tables today.
_base_ = 'dmt_deeplabv3plus-r50_1xb8_cityscapes-1of8-769x769.py'
r101 = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
model = dict(peers=dict(left=r101, right=r101))

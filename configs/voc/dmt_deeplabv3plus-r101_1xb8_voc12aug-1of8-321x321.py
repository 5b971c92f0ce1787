# VOC 2012, 1/8: as with ResNet-50, on ResNet-101.
_base_ = 'dmt_deeplabv3plus-r50_1xb8_voc12aug-1of8-321x321.py'
r101 = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
model = dict(peers=dict(left=r101, right=r101))

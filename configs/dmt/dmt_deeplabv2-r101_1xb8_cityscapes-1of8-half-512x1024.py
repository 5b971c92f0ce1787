# Cityscapes at half resolution, 1/8 (371 labels): 5 phases, peers COCO and ImageNet, gamma 3; 63.03 published.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/dmt_deeplabv2_r101-d8_cityscapes.py',
    '../_base_/datasets/cityscapes_half_1of8.py',
    '../_base_/schedules/dmt_cityscapes_1of8.py',
]

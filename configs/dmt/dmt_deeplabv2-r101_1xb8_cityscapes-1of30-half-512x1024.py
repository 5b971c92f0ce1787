# Cityscapes at half resolution, 1/30 (100 labels): 5 phases, peers COCO and ImageNet, gamma 3; 54.80 published.
# Gamma, batch and phases are not published for this fraction: as with 1/8.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/dmt_deeplabv2_r101-d8_cityscapes.py',
    '../_base_/datasets/cityscapes_half_1of30.py',
    '../_base_/schedules/dmt_cityscapes_1of30.py',
]

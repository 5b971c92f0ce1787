# VOC 2012, 1/20 (530 labels): 5 phases, peers COCO and ImageNet, gamma 5; 69.92 published.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/dmt_deeplabv2_r101-d8.py',
    '../_base_/datasets/voc12aug_1of20.py',
    '../_base_/schedules/dmt_voc_1of20.py',
]

# VOC 2012, 1464 labels + SBD (9118 unlabeled): 5 phases, peers COCO and ImageNet, gamma 5; 74.85 published.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/dmt_deeplabv2_r101-d8.py',
    '../_base_/datasets/voc12aug_sbd.py',
    '../_base_/schedules/dmt_voc_sbd.py',
]

# VOC 2012, 1/50 (211 labels): 5 phases, peers COCO and ImageNet, gamma 5; 67.15 published.
# Its 134 epochs of warm-up are of all 211 labels; with difference-maximized sampling: ablations/dmt-dms_*.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/dmt_deeplabv2_r101-d8.py',
    '../_base_/datasets/voc12aug_1of50.py',
    '../_base_/schedules/dmt_voc_1of50.py',
]

# VOC 2012, 1/106 (100 labels), on labels alone: the warm-up of DMT, but with all labels for each peer; 46.66 published.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/dmt_deeplabv2_r101-d8.py',
    '../_base_/datasets/voc12aug_1of106.py',
    '../_base_/schedules/dmt_voc_1of106.py',
]
custom_hooks = [dict(_base_.custom_hooks[0], phases=_base_.phases[:1])]
train_cfg = dict(max_iters=3000)

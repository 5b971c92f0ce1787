# VOC 2012, 1464 labels + SBD (9118 unlabeled): 5 phases, peers COCO and ImageNet, gamma 5; 74.85 published.
# 85 epochs of the 1464 labeled images, and 5 epochs of the unlabeled ones in each phase.
_base_ = ['../_base_/runs/voc12aug.py', '../_base_/models/dmt_deeplabv2_r101-d8.py']
train_dataloader = dict(dataset=dict(lists='splits/voc12aug/sbd/{}.txt'))
custom_hooks = [dict(_base_.custom_hooks[0], warm_up=15555, iters=6515)]
train_cfg = dict(val_interval=350)

# VOC 2012, 1/50 (211 labels): 5 phases, peers COCO and ImageNet, gamma 5; 67.15 published.
# 134 epochs of all 211 labeled images, and 4 epochs of 10 371 unlabeled ones in each phase.
_base_ = ['../_base_/runs/voc12aug.py', '../_base_/models/dmt_deeplabv2_r101-d8.py']
train_dataloader = dict(dataset=dict(lists='splits/voc12aug/split0/{}_1of50.txt'))
custom_hooks = [dict(_base_.custom_hooks[0], warm_up=3618, iters=5928)]
train_cfg = dict(val_interval=220)

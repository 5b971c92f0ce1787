# Cityscapes at half resolution, 1/8 (371 labels): 5 phases, peers COCO and ImageNet, gamma 3; 63.03 published.
# 170 epochs of the 371 labeled images, and 10 epochs of 2604 unlabeled ones in each phase.
_base_ = ['../_base_/runs/cityscapes_half.py', '../_base_/models/dmt_deeplabv2_r101-d8_cityscapes.py']
train_dataloader = dict(dataset=dict(lists='splits/cityscapes/split0/{}_1of8.txt'))
custom_hooks = [dict(_base_.custom_hooks[0], warm_up=7990, iters=4340)]
train_cfg = dict(val_interval=350)

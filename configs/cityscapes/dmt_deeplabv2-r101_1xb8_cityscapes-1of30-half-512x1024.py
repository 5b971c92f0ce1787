# Cityscapes at half resolution, 1/30 (100 labels): 5 phases, peers COCO and ImageNet, gamma 3; 54.80 published. Gamma,
# batch, phases and their interval are not published for this fraction: as with 1/8. 330 epochs of the labeled images,
# and 10 epochs of 2875 unlabeled ones in each phase.
_base_ = ['../_base_/runs/cityscapes_half.py', '../_base_/models/dmt_deeplabv2_r101-d8_cityscapes.py']
train_dataloader = dict(dataset=dict(lists='splits/cityscapes/split0/{}_1of30.txt'))
custom_hooks = [dict(_base_.custom_hooks[0], warm_up=4290, iters=4800)]
train_cfg = dict(val_interval=100)

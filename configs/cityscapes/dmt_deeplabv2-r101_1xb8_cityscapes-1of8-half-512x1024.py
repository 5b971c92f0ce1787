# Cityscapes at half resolution, 1/8 (371 labels): 5 phases, peers COCO and ImageNet, gamma 3; 63.03 published.
_base_ = ['../_base_/runs/cityscapes_half.py', '../_base_/models/dmt_deeplabv2_r101-d8_cityscapes.py']
mmdmt = __import__('mmdmt.configs')
train_dataloader = mmdmt.configs.lists(_base_.lists, '1of8')
# 170 epochs of the 371 labeled images, and 10 epochs of 2604 unlabeled ones in each phase.
custom_hooks, train_cfg = mmdmt.configs.schedule(_base_, warm_up=170 * 47, iters=10 * 434, val_interval=350)

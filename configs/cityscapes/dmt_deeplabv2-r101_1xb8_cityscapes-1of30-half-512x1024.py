# Cityscapes at half resolution, 1/30 (100 labels): 5 phases, peers COCO and ImageNet, gamma 3; 54.80 published. Gamma,
# batch, phases and their interval are not published for this fraction: as with 1/8, 10 epochs of 2875 unlabeled images.
_base_ = ['../_base_/runs/cityscapes_half.py', '../_base_/models/dmt_deeplabv2_r101-d8_cityscapes.py']
mmdmt = __import__('mmdmt.configs')
train_dataloader = mmdmt.configs.lists(_base_.lists, '1of30')
custom_hooks, train_cfg = mmdmt.configs.schedule(_base_, warm_up=330 * 13, iters=10 * 480, val_interval=100)

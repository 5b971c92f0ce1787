# VOC 2012, 1464 labels + SBD (9118 unlabeled): 5 phases, peers COCO and ImageNet, gamma 5; 74.85 published.
_base_ = ['../_base_/runs/voc12aug.py', '../_base_/models/dmt_deeplabv2_r101-d8.py']
mmdmt = __import__('mmdmt.configs')
train_dataloader = mmdmt.configs.lists(f'{_base_.splits}/voc12aug/sbd')
# 85 epochs of the 1464 labeled images, and 5 epochs of the unlabeled ones in each phase.
custom_hooks, train_cfg = mmdmt.configs.schedule(_base_, warm_up=85 * 183, iters=5 * 1303, val_interval=350)

# VOC 2012, 1/20 (530 labels): 5 phases, peers COCO and ImageNet, gamma 5; 69.92 published.
_base_ = ['../_base_/runs/voc12aug.py', '../_base_/models/dmt_deeplabv2_r101-d8.py']
mmdmt = __import__('mmdmt.configs')
train_dataloader = mmdmt.configs.lists(_base_.lists, '1of20')
# 134 epochs of the 530 labeled images, and 4 epochs of 10 052 unlabeled ones in each phase.
custom_hooks, train_cfg = mmdmt.configs.schedule(_base_, warm_up=134 * 67, iters=4 * 1436, val_interval=220)

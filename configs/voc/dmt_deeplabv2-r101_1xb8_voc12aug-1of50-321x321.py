# VOC 2012, 1/50 (211 labels): 5 phases, peers COCO and ImageNet, gamma 5; 67.15 published.
_base_ = ['../_base_/runs/voc12aug.py', '../_base_/models/dmt_deeplabv2_r101-d8.py']
mmdmt = __import__('mmdmt.configs')
train_dataloader = mmdmt.configs.lists(_base_.lists, '1of50')
# 134 epochs of all 211 labeled images, and 4 epochs of 10 371 unlabeled ones in each phase. With difference-maximized
# sampling: ablations/dmt-dms_*.
custom_hooks, train_cfg = mmdmt.configs.schedule(_base_, warm_up=134 * 27, iters=4 * 1482, val_interval=220)

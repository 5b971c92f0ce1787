# VOC 2012, 1/20 (530 labels): 5 phases, peers COCO and ImageNet, gamma 5; 69.92 published.
# 134 epochs of the 530 labeled images, and 4 epochs of 10 052 unlabeled ones in each phase.
_base_ = ['../_base_/runs/voc12aug.py', '../_base_/models/dmt_deeplabv2_r101-d8.py']
train_dataloader = dict(dataset=dict(lists='splits/voc12aug/split0/{}_1of20.txt'))
custom_hooks = [dict(_base_.custom_hooks[0], warm_up=8978, iters=5744)]
train_cfg = dict(val_interval=220)

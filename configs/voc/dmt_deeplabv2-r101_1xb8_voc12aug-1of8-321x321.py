# VOC 2012, 1/8 (1322 labels): 5 phases, peers COCO and ImageNet, gamma 5; 72.70 published.
# The peers are not published for this fraction: as with 1/20. 85 epochs of the labeled images, and 4 epochs of 9260
# unlabeled ones in each phase.
_base_ = ['../_base_/runs/voc12aug.py', '../_base_/models/dmt_deeplabv2_r101-d8.py']
train_dataloader = dict(dataset=dict(lists='splits/voc12aug/split0/{}_1of8.txt'))
custom_hooks = [dict(_base_.custom_hooks[0], warm_up=14110, iters=5292)]
train_cfg = dict(val_interval=350)

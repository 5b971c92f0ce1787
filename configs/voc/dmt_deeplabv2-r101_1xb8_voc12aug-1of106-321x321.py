# VOC 2012, 1/106 (100 labels): 5 phases, peers COCO and COCO on 80 labels each (60 common), gamma 5; 63.04 published.
# 300 epochs of the 80 images of a peer, then 4 epochs of 10 482 unlabeled ones in each phase.
_base_ = ['../_base_/runs/voc12aug.py', '../_base_/models/dmt_deeplabv2_r101-d8.py']
train_dataloader = dict(dataset=dict(lists='splits/voc12aug/split0/{}_1of106.txt'))
# Two peers from the same weights that differ by what they are warmed up on: difference-maximized sampling.
model = dict(peers=dict(_delete_=True, left=_base_.model.peers.coco, right=_base_.model.peers.coco))
parts = dict(left='splits/voc12aug/split0/dms_left_1of106.txt', right='splits/voc12aug/split0/dms_right_1of106.txt')
custom_hooks = [dict(_base_.custom_hooks[0], warm_up=3000, iters=5992, warm_up_lists=parts)]
train_cfg = dict(val_interval=100)

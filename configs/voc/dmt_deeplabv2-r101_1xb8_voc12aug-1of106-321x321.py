# VOC 2012, 1/106 (100 labels): 5 phases, peers COCO and COCO on 80 labels each (60 common), gamma 5; 63.04 published.
_base_ = ['../_base_/runs/voc12aug.py', '../_base_/models/dmt_deeplabv2_r101-d8.py']
mmdmt = __import__('mmdmt.configs')
train_dataloader = mmdmt.configs.lists(_base_.lists, '1of106')
# 300 epochs of the 80 images of a peer, then 4 epochs of 10 482 unlabeled ones in each phase. Two peers from the same
# weights that differ by what they are warmed up on: difference-maximized sampling.
model = dict(peers=dict(_delete_=True, left=_base_.model.peers.coco, right=_base_.model.peers.coco))
parts = {side: f'{_base_.lists}/dms_{side}_1of106.txt' for side in ('left', 'right')}
custom_hooks, train_cfg = mmdmt.configs.schedule(
    _base_, warm_up=300 * 10, iters=4 * 1498, val_interval=100, labeled_lists=parts
)

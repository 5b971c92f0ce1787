# VOC 2012, 1/50: both peers from COCO weights, each warmed up on 168 of the 211 labels (125 common).
_base_ = 'dmt_deeplabv2-r101_1xb8_voc12aug-1of50-321x321.py'
model = dict(peers=dict(_delete_=True, left=_base_.model.peers.coco, right=_base_.model.peers.coco))
parts = {side: f'{_base_.lists}/dms_{side}_1of50.txt' for side in ('left', 'right')}
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(_base_, labeled_lists=parts)

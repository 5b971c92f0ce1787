# VOC 2012, 1/50 (211 labels) of split id 2: DMT in the setting of the published ablations, with two peers from
# COCO weights, each warmed up on 168 labels (125 common).
_base_ = 'dmt_deeplabv2-r101_1xb8_voc12aug-1of50-321x321.py'
train_dataloader = dict(dataset=dict(lists='splits/voc12aug/split2/{}_1of50.txt'))
model = dict(peers=dict(_delete_=True, left=_base_.model.peers.coco, right=_base_.model.peers.coco))
parts = dict(left='splits/voc12aug/split2/dms_left_1of50.txt', right='splits/voc12aug/split2/dms_right_1of50.txt')
custom_hooks = [dict(_base_.custom_hooks[0], warm_up_lists=parts)]

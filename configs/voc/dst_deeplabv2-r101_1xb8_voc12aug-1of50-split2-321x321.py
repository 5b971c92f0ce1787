# VOC 2012, 1/50 (211 labels) of split id 2, as published: one peer from COCO weights that learns its own
# pseudo labels with dynamic weights, gamma 5 (DST).
_base_ = 'dmt_deeplabv2-r101_1xb8_voc12aug-1of50-321x321.py'
model = dict(peers=dict(_delete_=True, coco=_base_.model.peers.coco))
train_dataloader = dict(dataset=dict(lists='splits/voc12aug/split2/{}_1of50.txt'))

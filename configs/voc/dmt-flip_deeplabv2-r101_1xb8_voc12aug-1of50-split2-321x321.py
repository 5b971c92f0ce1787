# VOC 2012, 1/50 (211 labels) of split id 2, as published: where the learner is surer than the labeler, it learns
# its own prediction; two peers from COCO weights under difference-maximized sampling.
_base_ = 'dmt-dms_deeplabv2-r101_1xb8_voc12aug-1of50-split2-321x321.py'
model = dict(loss=dict(rule='flip'))

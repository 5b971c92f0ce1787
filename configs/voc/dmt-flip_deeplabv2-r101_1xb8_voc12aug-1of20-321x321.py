# VOC 2012, 1/20: where the learner is surer than the labeler, it learns its own prediction.
_base_ = 'dmt_deeplabv2-r101_1xb8_voc12aug-1of20-321x321.py'
model = dict(loss=dict(rule='flip'))

# VOC 2012, 1/20: every pseudo label weighs the power 5 of the learner's probability for it.
_base_ = 'dmt_deeplabv2-r101_1xb8_voc12aug-1of20-321x321.py'
model = dict(loss=dict(rule='naive'))

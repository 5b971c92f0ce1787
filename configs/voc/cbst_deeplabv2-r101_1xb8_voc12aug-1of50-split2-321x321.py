# VOC 2012, 1/50 (211 labels) of split id 2, as published: one peer from COCO weights that learns its own
# class-balanced pseudo labels by plain cross entropy (CBST).
_base_ = 'dst_deeplabv2-r101_1xb8_voc12aug-1of50-split2-321x321.py'
model = dict(loss=dict(gamma_agree=0.0, gamma_disagree=0.0))

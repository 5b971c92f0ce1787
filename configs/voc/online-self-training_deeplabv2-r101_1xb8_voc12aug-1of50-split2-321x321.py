# VOC 2012, 1/50 (211 labels) of split id 2, as published: one peer from COCO weights, which labels the images of
# each batch itself and learns what it is at least 0.9 sure of, as long as DMT.
_base_ = 'dst_deeplabv2-r101_1xb8_voc12aug-1of50-split2-321x321.py'
model = dict(loss=dict(gamma_agree=0.0, gamma_disagree=0.0, average_over='kept'))
online = dict(labeler='weights', min_confidence=0.9)
custom_hooks = [dict(_base_.custom_hooks[0], iters=29640, online=online)]

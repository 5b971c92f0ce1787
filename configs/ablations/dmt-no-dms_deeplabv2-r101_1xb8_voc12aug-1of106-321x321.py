# VOC 2012, 1/106, both peers from COCO weights, each warmed up on all 100 labels: no difference-maximized sampling.
_base_ = '../dmt/dmt_deeplabv2-r101_1xb8_voc12aug-1of106-321x321.py'
custom_hooks = [dict(_base_.custom_hooks[0], phases=_base_.phases)]

# VOC 2012, 1/20 (530 labels), on labels alone: the warm-up of DMT and nothing else; 62.29 published.
_base_ = 'dmt_deeplabv2-r101_1xb8_voc12aug-1of20-321x321.py'
custom_hooks = [dict(_base_.custom_hooks[0], ratios=())]

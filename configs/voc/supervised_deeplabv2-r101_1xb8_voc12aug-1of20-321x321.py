# VOC 2012, 1/20 (530 labels), on labels alone: the warm-up of DMT and nothing else; 62.29 published.
_base_ = 'dmt_deeplabv2-r101_1xb8_voc12aug-1of20-321x321.py'
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(_base_, ratios=())

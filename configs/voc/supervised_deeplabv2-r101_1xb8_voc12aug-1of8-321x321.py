# VOC 2012, 1/8 (1322 labels), on labels alone: the warm-up of DMT and nothing else; 67.37 published.
_base_ = 'dmt_deeplabv2-r101_1xb8_voc12aug-1of8-321x321.py'
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(_base_, ratios=())

# VOC 2012, 1/50 (211 labels), on labels alone: the warm-up of DMT and nothing else; 55.62 published.
_base_ = 'dmt_deeplabv2-r101_1xb8_voc12aug-1of50-321x321.py'
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(_base_, ratios=())

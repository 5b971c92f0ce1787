# VOC 2012, 1464 labels + SBD (no SBD label), on labels alone: the warm-up of DMT and nothing else; 72.10 published.
_base_ = 'dmt_deeplabv2-r101_1xb8_voc12aug-sbd-321x321.py'
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(_base_, ratios=())

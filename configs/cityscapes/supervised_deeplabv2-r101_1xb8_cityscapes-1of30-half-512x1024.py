# Cityscapes at half resolution, 1/30 (100 labels), on labels alone: the warm-up of DMT; 49.54 published.
_base_ = 'dmt_deeplabv2-r101_1xb8_cityscapes-1of30-half-512x1024.py'
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(_base_, ratios=())

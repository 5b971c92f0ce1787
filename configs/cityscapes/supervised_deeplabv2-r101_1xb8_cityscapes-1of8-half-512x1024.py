# Cityscapes at half resolution, 1/8 (371 labels), on labels alone: the warm-up of DMT; 59.65 published.
_base_ = 'dmt_deeplabv2-r101_1xb8_cityscapes-1of8-half-512x1024.py'
custom_hooks = [dict(_base_.custom_hooks[0], ratios=())]

# Kvasir-SEG, 1/8 (110 labels), on labels alone: the warm-up of DMT.
_base_ = 'dmt_deeplabv3plus-r50_segformer-b0_1xb8_kvasir-seg-1of8-352x352.py'
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(_base_, ratios=())

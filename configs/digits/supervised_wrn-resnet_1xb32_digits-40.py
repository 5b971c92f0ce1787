# Handwritten digits, 40 labels: the warm-up alone.
_base_ = 'dmt_wrn-resnet_1xb32_digits-40.py'
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(_base_, ratios=())

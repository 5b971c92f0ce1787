# The same with the paper's label ratios, up to 1.0.
_base_ = 'dmt_resnet_1xb8_digit-scenes-fonts2handwriting-one-polarity.py'
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(_base_, ratios=(0.2, 0.4, 0.6, 0.8, 1.0))

# The same with the paper's label ratios, up to 1.0.
_base_ = 'dmt_resnet_1xb8_digit-scenes-fonts2handwriting-one-polarity.py'
custom_hooks = [dict(_base_.custom_hooks[0], ratios=None)]

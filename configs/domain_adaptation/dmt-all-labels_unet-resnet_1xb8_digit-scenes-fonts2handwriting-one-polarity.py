# The same with the paper's label ratios, up to 1.0.
_base_ = 'dmt_unet-resnet_1xb8_digit-scenes-fonts2handwriting-one-polarity.py'
mmdmt = __import__('mmdmt.configs')
custom_hooks, train_cfg = mmdmt.configs.schedule(_base_, ratios=mmdmt.configs.LABEL_RATIOS)

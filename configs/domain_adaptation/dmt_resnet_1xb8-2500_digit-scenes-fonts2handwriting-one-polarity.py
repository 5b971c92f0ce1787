# The same for 2500 iterations: a warm-up of 1500, phases of 200.
_base_ = 'dmt_resnet_1xb8_digit-scenes-fonts2handwriting-one-polarity.py'
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(
    _base_, warm_up=1500, iters=200, ratios=(0.1, 0.2, 0.3, 0.4, 0.5)
)

# The same for 2500 iterations: a warm-up of 1500, phases of 200.
_base_ = 'dmt_resnet_1xb8_digit-scenes-fonts2handwriting-one-polarity.py'
custom_hooks = [dict(_base_.custom_hooks[0], warm_up=1500, iters=200)]

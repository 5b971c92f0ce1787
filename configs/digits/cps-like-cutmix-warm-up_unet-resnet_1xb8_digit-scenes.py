# CPS-like (cross pseudo supervision) with CutMix, after the warm-up of the recipe: 400 iterations on labels alone.
_base_ = 'cps-like-cutmix_unet-resnet_1xb8_digit-scenes.py'
custom_hooks = [dict(_base_.custom_hooks[0], warm_up=400, iters=1100), _base_.custom_hooks[1]]

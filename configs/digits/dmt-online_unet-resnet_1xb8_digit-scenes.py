# DMT with strong views and CutMix; in place of five phases with banks there is one, as long, in which the peers'
# averages label online.
_base_ = [
    'dmt-strong-cutmix_unet-resnet_1xb8_digit-scenes.py',
    '../_base_/recipes/average.py',
    '../_base_/recipes/online.py',
]
hook, pictures = _base_.custom_hooks
custom_hooks = [dict(hook, iters=500, online=_base_.online), pictures, _base_.average]

# DMT with strong views and CutMix; in place of five phases with banks there is one, as long, in which the peers'
# averages label online.
_base_ = [
    'dmt-strong-cutmix_unet-resnet_1xb8_digit-scenes.py',
    '../_base_/recipes/average.py',
    '../_base_/recipes/online.py',
]
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(_base_, iters=5 * 100, online=_base_.online)
custom_hooks += [_base_.average]

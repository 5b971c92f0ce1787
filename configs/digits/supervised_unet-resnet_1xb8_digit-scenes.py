# Each peer on the 40 labeled scenes alone: the warm-up of DMT and nothing else.
_base_ = 'dmt_unet-resnet_1xb8_digit-scenes.py'
warm_up = _base_.custom_hooks[0].phases[0]
custom_hooks = [dict(type='mmdmt.DMTHook', phases=[warm_up])]
train_cfg = dict(max_iters=warm_up.iters)

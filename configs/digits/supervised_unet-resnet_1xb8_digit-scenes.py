# Each peer on the 40 labeled scenes alone: the warm-up of DMT and nothing else.
_base_ = 'dmt_unet-resnet_1xb8_digit-scenes.py'
custom_hooks = [dict(type='mmdmt.DMTHook', warm_up=1000, labeled=8, ratios=())]

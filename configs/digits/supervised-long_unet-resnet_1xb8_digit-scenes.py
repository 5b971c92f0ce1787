# Each peer on the 40 labeled scenes alone, for as many iterations as the whole of DMT.
_base_ = 'dmt_unet-resnet_1xb8_digit-scenes.py'
custom_hooks = [dict(type='mmdmt.DMTHook', warm_up=1500, labeled=8, ratios=())]

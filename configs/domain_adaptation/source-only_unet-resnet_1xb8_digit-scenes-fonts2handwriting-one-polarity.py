# The lower bound: each peer on printed digits alone, for as many iterations as the whole of DMT.
_base_ = 'dmt_unet-resnet_1xb8_digit-scenes-fonts2handwriting-one-polarity.py'
custom_hooks = [dict(type='mmdmt.DMTHook', warm_up=1500, labeled=8, ratios=())]

# The lower bound: each peer on printed digits alone, for as many iterations as the whole of DMT.
_base_ = 'dmt_resnet_1xb8-2500_digit-scenes-fonts2handwriting-one-polarity.py'
custom_hooks = [dict(type='mmdmt.DMTHook', warm_up=2500, labeled=8, ratios=())]

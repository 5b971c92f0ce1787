# The lower bound: each peer on the labels by day alone, for as many iterations as the whole of DMT.
_base_ = 'dmt_lite0-lite1_1xb8_camvid-day2dusk.py'
custom_hooks = [dict(_base_.custom_hooks[0], warm_up=1000, ratios=())]

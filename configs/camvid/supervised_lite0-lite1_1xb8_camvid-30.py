# CamVid, 30 labels, each peer on labels alone: the warm-up of DMT. Another length: custom_hooks.0.warm_up=1000.
_base_ = 'dmt_lite0-lite1_1xb8_camvid-30.py'
hook, pictures = _base_.custom_hooks
custom_hooks = [dict(hook, ratios=()), pictures]

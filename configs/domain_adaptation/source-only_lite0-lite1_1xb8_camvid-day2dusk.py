# The lower bound: each peer on the labels by day alone, for as many iterations as the whole of DMT.
_base_ = 'dmt_lite0-lite1_1xb8_camvid-day2dusk.py'
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(
    _base_, warm_up=_base_.train_cfg.max_iters, ratios=()
)

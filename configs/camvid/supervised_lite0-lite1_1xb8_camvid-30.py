# CamVid, 30 labels, each peer on labels alone: the warm-up of DMT. Another length is two options:
# train_cfg.max_iters=1000 custom_hooks.0.phases.0.iters=1000.
_base_ = 'dmt_lite0-lite1_1xb8_camvid-30.py'
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(_base_, ratios=())

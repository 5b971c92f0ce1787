# CamVid, 30 labels, each peer on labels alone: the warm-up of DMT. Another length is two options:
# train_cfg.max_iters=1000 custom_hooks.0.phases.0.iters=1000.
_base_ = 'dmt_lite0-lite1_1xb8_camvid-30.py'
custom_hooks = [dict(_base_.custom_hooks[0], phases=[dict(iters=400, labeled=8)])]
train_cfg = dict(max_iters=400)

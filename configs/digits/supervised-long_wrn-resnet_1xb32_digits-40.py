# Handwritten digits, 40 labels: labels alone for as many iterations as DMT has in all.
_base_ = 'dmt_wrn-resnet_1xb32_digits-40.py'
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(
    _base_, warm_up=_base_.train_cfg.max_iters, ratios=()
)

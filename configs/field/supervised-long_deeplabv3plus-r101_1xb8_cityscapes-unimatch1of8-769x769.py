# Cityscapes 1/8 (372) of UniMatch, DeepLabV3+ R-101, twice: labels alone, as long as DMT.
_base_ = 'dmt_deeplabv3plus-r101_1xb8_cityscapes-unimatch1of8-769x769.py'
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(
    _base_, warm_up=_base_.train_cfg.max_iters, ratios=()
)

# Handwritten digits, 40 labels: the warm-up alone.
_base_ = 'dmt_wrn-resnet_1xb32_digits-40.py'
custom_hooks = [_base_.averaging, dict(_base_.mutual, phases=_base_.phases[:1])]
train_cfg = dict(max_iters=300)

# Handwritten digits, 40 labels: the warm-up alone.
_base_ = 'dmt_wrn-resnet_1xb32_digits-40.py'
average, hook = _base_.custom_hooks
custom_hooks = [average, dict(hook, ratios=())]

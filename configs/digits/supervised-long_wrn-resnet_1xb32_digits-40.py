# Handwritten digits, 40 labels: labels alone for as many iterations as DMT has in all.
_base_ = 'dmt_wrn-resnet_1xb32_digits-40.py'
average, hook = _base_.custom_hooks
custom_hooks = [average, dict(hook, warm_up=1050, ratios=())]

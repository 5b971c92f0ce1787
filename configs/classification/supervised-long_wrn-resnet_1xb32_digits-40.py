# Handwritten digits, 40 labels: labels alone for as many iterations as DMT has in all.
_base_ = 'dmt_wrn-resnet_1xb32_digits-40.py'
custom_hooks = [_base_.averaging, dict(_base_.mutual, phases=[dict(iters=1050, labeled=32)])]

# CIFAR-10, 4000 labels, on labels alone: the warm-up of DMT and nothing else; 86.08 published.
_base_ = 'dmt_wrn28-2_1xb512_cifar10-4000.py'
average, hook = _base_.custom_hooks
custom_hooks = [average, dict(hook, ratios=())]

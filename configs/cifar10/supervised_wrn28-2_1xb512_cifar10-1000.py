# CIFAR-10, 1000 labels, on labels alone: the warm-up of DMT and nothing else.
_base_ = 'dmt_wrn28-2_1xb512_cifar10-1000.py'
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(_base_, ratios=())

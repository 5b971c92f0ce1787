# CIFAR-10, 4000 labels, on labels alone: the warm-up of DMT and nothing else; 86.08 published.
_base_ = 'dmt_wrn28-2_1xb512_cifar10-4000.py'
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(_base_, ratios=())

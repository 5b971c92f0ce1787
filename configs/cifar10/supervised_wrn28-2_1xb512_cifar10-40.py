# CIFAR-10, 40 labels, on labels alone: the warm-up of DMT and nothing else; not in the paper.
_base_ = 'dmt_wrn28-2_1xb512_cifar10-40.py'
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(_base_, ratios=())

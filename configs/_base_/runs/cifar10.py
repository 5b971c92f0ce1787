# What runs on CIFAR-10 have in common: a config adds how many images have labels, and how long the phases are.
_base_ = [
    '../default_runtime_mmpretrain.py',
    '../models/wrn28-2_cifar10.py',
    '../datasets/cifar10.py',
    '../schedules/dmt_cifar10.py',
]

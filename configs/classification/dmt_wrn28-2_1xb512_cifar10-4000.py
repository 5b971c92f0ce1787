# CIFAR-10, 4000 labels: 5 phases from scratch, two WRN-28-2 that teach each other, gamma 4; 94.21 published,
# of one peer (dmt-one-peer_wrn28-2_1xb512_cifar10-4000.py).
_base_ = [
    '../_base_/default_runtime_mmpretrain.py',
    '../_base_/models/wrn28-2_cifar10.py',
    '../_base_/datasets/cifar10_4000.py',
    '../_base_/schedules/dmt_cifar10_4000.py',
]

# CIFAR-10, 4000 labels: 5 phases from scratch, two WRN-28-2 that teach each other, gamma 4; 94.21 published,
# of one peer (dmt-one-peer_wrn28-2_1xb512_cifar10-4000.py).
_base_ = '../_base_/runs/cifar10.py'
per_class = dict(labels_per_class=400)
train_dataloader = dict(dataset=dict(labeled=per_class, unlabeled=per_class))
# 2120 epochs of the labeled images, and 750 of those that have a pseudo label in a phase: the batches of such an epoch
# are 19, 37, 56, 74 and 93.
average, hook = _base_.custom_hooks
custom_hooks = [average, dict(hook, warm_up=16960, iters=[14250, 27750, 42000, 55500, 69750])]

# CIFAR-10, 250 labels: 5 phases from scratch, two WRN-28-2 that teach each other, gamma 4; not in the paper.
_base_ = '../_base_/runs/cifar10.py'
per_class = dict(labels_per_class=25)
train_dataloader = dict(dataset=dict(labeled=per_class, unlabeled=per_class))
# 2120 epochs of the labeled images, and 750 of those that have a pseudo label in a phase: the batches of such an epoch.
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(
    _base_, warm_up=2120 * 1, iters=[750 * batches for batches in (20, 40, 60, 80, 100)]
)

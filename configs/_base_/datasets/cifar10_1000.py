# CIFAR-10, 1000 labeled images, 100 of each class, and 48800 unlabeled.
_base_ = 'cifar10.py'
train_dataloader = dict(
    dataset=dict(labeled=dict(labels_per_class=100), unlabeled=dict(labels_per_class=100)),
)

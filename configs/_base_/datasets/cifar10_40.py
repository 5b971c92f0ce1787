# CIFAR-10, 40 labeled images, 4 of each class, and 49760 unlabeled.
_base_ = 'cifar10.py'
train_dataloader = dict(
    dataset=dict(labeled=dict(labels_per_class=4), unlabeled=dict(labels_per_class=4)),
)

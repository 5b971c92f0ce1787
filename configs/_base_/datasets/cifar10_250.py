# CIFAR-10, 250 labeled images, 25 of each class, and 49550 unlabeled.
_base_ = 'cifar10.py'
train_dataloader = dict(
    dataset=dict(labeled=dict(labels_per_class=25), unlabeled=dict(labels_per_class=25)),
)

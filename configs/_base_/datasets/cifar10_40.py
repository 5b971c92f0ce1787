# CIFAR-10, 40 labelled images, 4 of each class, and 49760 unlabelled.
_base_ = 'cifar10.py'
train_dataloader = dict(
    dataset=dict(labeled=dict(labels_per_class=4), unlabeled=dict(labels_per_class=4)),
)

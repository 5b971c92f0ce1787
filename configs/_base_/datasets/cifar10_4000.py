# CIFAR-10, 4000 labeled images, 400 of each class, and 45800 unlabeled.
_base_ = 'cifar10.py'
train_dataloader = dict(
    dataset=dict(labeled=dict(labels_per_class=400), unlabeled=dict(labels_per_class=400)),
)

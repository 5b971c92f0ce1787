# 2120 epochs of the 4000 labeled images, 8 batches each, then in every phase 750 epochs of its pseudo-labeled ones.
_base_ = 'dmt_cifar10.py'
batches = (19, 37, 56, 74, 93)
phases = [
    dict(_base_.warm_up, iters=2120 * 8),
    *(dict(_base_.phase, iters=750 * batches[step], label_ratio=(step + 1) / 5) for step in range(5)),
]
custom_hooks = [_base_.averaging, dict(_base_.mutual, phases=phases)]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=2120 * 8 + 750 * 279, val_interval=1000)

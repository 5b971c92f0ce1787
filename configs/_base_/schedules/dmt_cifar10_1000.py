# 2120 epochs of the 1000 labeled images, 2 batches each, then in every phase 750 epochs of its pseudo-labeled ones.
_base_ = 'dmt_cifar10.py'
batches = (20, 40, 60, 79, 99)
phases = [
    dict(_base_.warm_up, iters=2120 * 2),
    *(dict(_base_.phase, iters=750 * batches[step], label_ratio=(step + 1) / 5) for step in range(5)),
]
custom_hooks = [_base_.averaging, dict(_base_.mutual, phases=phases)]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=2120 * 2 + 750 * 298, val_interval=1000)

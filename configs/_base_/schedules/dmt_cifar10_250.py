# 2120 epochs of the 250 labeled images, 1 batch each, then in every phase 750 epochs of its pseudo-labeled ones.
_base_ = 'dmt_cifar10.py'
batches = (20, 40, 60, 80, 100)
phases = [
    dict(_base_.warm_up, iters=2120 * 1),
    *(dict(_base_.phase, iters=750 * batches[step], label_ratio=(step + 1) / 5) for step in range(5)),
]
custom_hooks = [_base_.averaging, dict(_base_.mutual, phases=phases)]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=2120 * 1 + 750 * 300, val_interval=1000)

# CIFAR-10, 1000 labels, on labels alone: the warm-up of DMT and nothing else.
_base_ = './dmt_wrn28-2_1xb512_cifar10-1000.py'
custom_hooks = [_base_.averaging, dict(_base_.mutual, phases=_base_.phases[:1])]
train_cfg = dict(max_iters=2120 * 2)

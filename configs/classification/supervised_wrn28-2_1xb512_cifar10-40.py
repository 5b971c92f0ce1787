# CIFAR-10, 40 labels, on labels alone: the warm-up of DMT and nothing else; not in the paper.
_base_ = './dmt_wrn28-2_1xb512_cifar10-40.py'
custom_hooks = [_base_.averaging, dict(_base_.mutual, phases=_base_.phases[:1])]
train_cfg = dict(max_iters=2120 * 1)

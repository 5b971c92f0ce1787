# CIFAR-10, 4000 labels, on labels alone: the warm-up of DMT and nothing else; 86.08 published.
_base_ = './dmt_wrn28-2_1xb512_cifar10-4000.py'
custom_hooks = [_base_.averaging, dict(_base_.mutual, phases=_base_.phases[:1])]
train_cfg = dict(max_iters=2120 * 8)

# 330 epochs of the 100 labeled images, then five phases of 10 epochs of the unlabeled ones. The phases, the batch and
# the interval in the phases are not published: as with 1/8.
_base_ = 'dmt_cityscapes.py'
phase = dict(iters=4800, labeled=2, pseudo=6)
phases = [dict(iters=4290, labeled=8), *(dict(phase, label_ratio=ratio) for ratio in (0.2, 0.4, 0.6, 0.8, 1.0))]
custom_hooks = [
    dict(type='mmdmt.DMTHook', phases=phases, carry='last', labeling=dict(batch_size=8, num_workers=4)),
]
train_cfg = dict(
    type='IterBasedTrainLoop', max_iters=4290 + 5 * 4800, val_interval=100, dynamic_intervals=[(4290, 300)]
)

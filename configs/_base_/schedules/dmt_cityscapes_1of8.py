# 170 epochs of the 371 labeled images, then five phases of 10 epochs of the unlabeled ones, validated every 300.
_base_ = 'dmt_cityscapes.py'
phase = dict(iters=4340, labeled=2, pseudo=6)
phases = [dict(iters=7990, labeled=8), *(dict(phase, label_ratio=ratio) for ratio in (0.2, 0.4, 0.6, 0.8, 1.0))]
custom_hooks = [
    dict(type='mmdmt.DMTHook', phases=phases, carry='last', labeling=dict(batch_size=8, num_workers=4)),
]
train_cfg = dict(
    type='IterBasedTrainLoop', max_iters=7990 + 5 * 4340, val_interval=350, dynamic_intervals=[(7990, 300)]
)

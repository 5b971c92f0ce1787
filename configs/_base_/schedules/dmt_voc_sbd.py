# 85 epochs of the 1464 labeled images, then five phases of 5 epochs of the unlabeled ones, at half the learning rate.
_base_ = 'dmt_voc.py'
phase = dict(iters=6515, labeled=1, pseudo=7, lr_factor=0.5)
phases = [dict(iters=15555, labeled=8), *(dict(phase, label_ratio=ratio) for ratio in (0.2, 0.4, 0.6, 0.8, 1.0))]
custom_hooks = [
    dict(type='mmdmt.DMTHook', phases=phases, carry='last', labeling=dict(batch_size=8, num_workers=4)),
]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=15555 + 5 * 6515, val_interval=350)

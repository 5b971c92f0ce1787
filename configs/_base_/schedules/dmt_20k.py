# 20 000 iterations: a warm-up, and the paper's five phases.
_base_ = 'dmt.py'
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.004, momentum=0.9, weight_decay=5e-4))
phase = dict(iters=3000, labeled=2, pseudo=6, lr_factor=0.5)
phases = [dict(iters=5000, labeled=8), *(dict(phase, label_ratio=ratio) for ratio in (0.2, 0.4, 0.6, 0.8, 1.0))]
custom_hooks = [dict(type='mmdmt.DMTHook', phases=phases)]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=5000 + 5 * 3000, val_interval=1000)

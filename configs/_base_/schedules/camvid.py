# Warm-up and the paper's five phases, scaled to twenty minutes on a CPU.
_base_ = 'dmt.py'
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=6e-4, weight_decay=0.01))
phase = dict(iters=120, labeled=4, pseudo=4, lr_factor=0.5)
phases = [dict(iters=400, labeled=8), *(dict(phase, label_ratio=ratio) for ratio in (0.2, 0.4, 0.6, 0.8, 1.0))]
custom_hooks = [dict(type='mmdmt.DMTHook', phases=phases, labeling=dict(num_workers=0))]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=400 + 5 * 120, val_interval=200)
default_hooks = dict(checkpoint=dict(interval=200, max_keep_ckpts=1))

# Warm-up and the paper's five phases, scaled to a minute or two on a CPU: so short, phases carry their weights on.
_base_ = 'dmt_cifar10.py'
optim_wrapper = dict(optimizer=dict(_delete_=True, type='AdamW', lr=0.002, weight_decay=0.05))
phase = dict(iters=150, labeled=8, pseudo=24)
phases = [dict(iters=300, labeled=32), *(dict(phase, label_ratio=ratio) for ratio in (0.2, 0.4, 0.6, 0.8, 1.0))]
averaging = dict(type='mmengine.EMAHook', momentum=0.02)
mutual = dict(type='mmdmt.DMTHook', labeling=dict(batch_size=250, num_workers=0))
custom_hooks = [averaging, dict(mutual, phases=phases)]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=300 + 5 * 150, val_interval=150)
default_hooks = dict(logger=dict(interval=50), checkpoint=dict(interval=150))

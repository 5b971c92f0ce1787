# Warm-up and the paper's five phases, scaled to a minute or two on a CPU: so short, phases carry their weights on.
_base_ = 'dmt_cifar10.py'
optim_wrapper = dict(optimizer=dict(_delete_=True, type='AdamW', lr=0.002, weight_decay=0.05))
phases = dict(warm_up=300, iters=150, labeled=8, pseudo=24)
custom_hooks = [
    dict(type='mmengine.EMAHook', momentum=0.02),
    dict(type='mmdmt.DMTHook', **phases, labeling=dict(batch_size=250, num_workers=0)),
]
train_cfg = dict(val_interval=150)
default_hooks = dict(logger=dict(interval=50), checkpoint=dict(interval=150))

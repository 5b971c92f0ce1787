# Warm-up and the paper's five phases, scaled to a minute or two on a CPU: so short, phases carry their weights on.
_base_ = 'dmt_cifar10.py'
optim_wrapper = dict(optimizer=dict(_delete_=True, type='AdamW', lr=0.002, weight_decay=0.05))
phases = [dict(labeled=32), dict(labeled=8, pseudo=24)]
hook = dict(type='mmdmt.DMTHook', phases=phases, labeling=dict(batch_size=250, num_workers=0))
mmdmt = __import__('mmdmt.configs')
custom_hooks, train_cfg = mmdmt.configs.schedule(_base_, hook=hook, warm_up=300, iters=150, val_interval=150)
custom_hooks[0]['momentum'] = 0.02  # of the averages
default_hooks = dict(logger=dict(interval=50), checkpoint=dict(interval=150))

# Warm-up and the paper's five phases, scaled to minutes on a CPU. After a warm-up of half the length one seed of three
# left both networks below those that train on labels alone as long.
_base_ = 'dmt.py'
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=0.002, weight_decay=0.01))
phases = [dict(labeled=8), dict(labeled=2, pseudo=6, lr_factor=0.5)]
hook = dict(type='mmdmt.DMTHook', phases=phases, labeling=dict(batch_size=50, num_workers=0))
mmdmt = __import__('mmdmt.configs')
custom_hooks, train_cfg = mmdmt.configs.schedule(_base_, hook=hook, warm_up=1000, iters=100, val_interval=100)
default_hooks = dict(checkpoint=dict(interval=250))

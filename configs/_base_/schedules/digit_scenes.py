# Warm-up and the paper's five phases, scaled to minutes on a CPU. After a warm-up of half the length one seed of three
# left both networks below those that train on labels alone as long.
_base_ = 'dmt.py'
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=0.002, weight_decay=0.01))
phases = dict(warm_up=1000, iters=100, labeled=2, pseudo=6, lr_factor=0.5)
custom_hooks = [dict(type='mmdmt.DMTHook', **phases, labeling=dict(batch_size=50, num_workers=0))]
train_cfg = dict(val_interval=100)
default_hooks = dict(checkpoint=dict(interval=250))

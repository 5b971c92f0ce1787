# Warm-up and the paper's five phases, scaled to 1000 iterations: 15 to 30 minutes of a CPU's core.
_base_ = 'dmt.py'
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=6e-4, weight_decay=0.01),
    # What ImageNet has not trained learns at five times the rate.
    paramwise_cfg=dict(custom_keys=dict(neck=dict(lr_mult=5.0), decode_head=dict(lr_mult=5.0))),
)
phases = dict(warm_up=400, iters=120, labeled=4, pseudo=4, lr_factor=0.5)
custom_hooks = [dict(type='mmdmt.DMTHook', **phases, labeling=dict(num_workers=0))]
train_cfg = dict(val_interval=500)
default_hooks = dict(checkpoint=dict(interval=500, max_keep_ckpts=1))

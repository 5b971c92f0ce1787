# Small photographs on a CPU: AdamW, one phase, averages of the weights; minutes of a core.
_base_ = ['dmt.py', '../recipes/average.py']
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=6e-4, weight_decay=0.01),
    # What ImageNet has not trained learns at five times the rate.
    paramwise_cfg=dict(custom_keys=dict(neck=dict(lr_mult=5.0), decode_head=dict(lr_mult=5.0))),
)
default_hooks = dict(checkpoint=dict(interval=100000, max_keep_ckpts=1, save_last=True))

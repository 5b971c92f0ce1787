# Warm-up and the paper's five phases, scaled to minutes on a CPU.
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='mmdmt.PeerOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=0.002, weight_decay=0.01),
)
param_scheduler = [dict(type='PolyLR', power=0.9, by_epoch=False)]  # afresh in every phase
phases = [
    dict(iters=500, labeled=8),
    dict(iters=200, label_ratio=0.2, labeled=2, pseudo=6, lr_factor=0.5),
    dict(iters=200, label_ratio=0.4, labeled=2, pseudo=6, lr_factor=0.5),
    dict(iters=200, label_ratio=0.6, labeled=2, pseudo=6, lr_factor=0.5),
    dict(iters=200, label_ratio=0.8, labeled=2, pseudo=6, lr_factor=0.5),
    dict(iters=200, label_ratio=1.0, labeled=2, pseudo=6, lr_factor=0.5),
]
custom_hooks = [dict(type='mmdmt.DMTHook', phases=phases, labelling=dict(batch_size=50, num_workers=0))]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=1500, val_interval=100)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=250, max_keep_ckpts=3),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='SegVisualizationHook'),
)

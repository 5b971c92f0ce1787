# What the paper's runs on VOC 2012 have in common. Mixed precision, which they used, is --amp of the
# script: it needs a GPU, and in a config would keep the run off a CPU.
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='mmdmt.PeerOptimWrapperConstructor',
    # One learning rate and weight decay for all parameters, those of head and batch norm included.
    optimizer=dict(type='SGD', lr=0.002, momentum=0.9, weight_decay=5e-4),
)
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=0.0, by_epoch=False)]  # to 0, afresh in every phase
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=1000, max_keep_ckpts=3),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='SegVisualizationHook'),
)

# What every schedule of mutual training has in common. The run is as long as the phases of its DMTHook.
train_cfg = dict(type='mmdmt.PhaseTrainLoop')
optim_wrapper = dict(type='OptimWrapper', constructor='mmdmt.PeerOptimWrapperConstructor')
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=1000, max_keep_ckpts=3),
    sampler_seed=dict(type='DistSamplerSeedHook'),
)

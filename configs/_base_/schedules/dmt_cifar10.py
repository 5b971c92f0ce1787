# What the paper's runs on CIFAR-10 have in common. Mixed precision, which they used, is --amp of the script: it needs a
# GPU, and in a config would keep the run off a CPU.
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='mmdmt.PeerOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr=0.2, momentum=0.9, weight_decay=5e-4),
)
param_scheduler = [dict(type='CosineAnnealingLR', eta_min=0.0, by_epoch=False)]  # to 0, afresh in every phase
warm_up = dict(labeled=512)
phase = dict(labeled=16, pseudo=496, lr_factor=0.5)
# The averaged weights label, are validated and are saved. Batch-norm statistics are not averaged.
averaging = dict(type='mmengine.EMAHook', momentum=0.001)  # keeps 0.999 of the average in every iteration
mutual = dict(type='mmdmt.DMTHook', carry='scratch', labeling=dict(batch_size=512, num_workers=4))
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=100, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=1000, max_keep_ckpts=3),
    sampler_seed=dict(type='DistSamplerSeedHook'),
)

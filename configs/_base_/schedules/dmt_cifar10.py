# What the paper's runs on CIFAR-10 have in common; a config says how long they are. Mixed precision, which they used,
# is --amp of the script: it needs a GPU, and in a config would keep the run off a CPU.
_base_ = 'any_task.py'
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.2, momentum=0.9, weight_decay=5e-4))
param_scheduler = [dict(type='CosineAnnealingLR', eta_min=0.0, by_epoch=False)]  # to 0, afresh in every phase
phases = dict(labeled=16, pseudo=496, lr_factor=0.5)
custom_hooks = [
    # The averaged weights label, are validated and are saved. Batch-norm statistics are not averaged.
    dict(type='mmengine.EMAHook', momentum=0.001),  # keeps 0.999 of the average in every iteration
    dict(type='mmdmt.DMTHook', **phases, carry='scratch', labeling=dict(batch_size=512, num_workers=4)),
]
train_cfg = dict(val_interval=1000)
default_hooks = dict(logger=dict(interval=100))

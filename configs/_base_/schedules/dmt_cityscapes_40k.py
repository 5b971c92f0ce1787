# 40 000 iterations in all at the learning rate of the toolbox's own schedules, as today's runs on Cityscapes at full
# resolution. Ours, not the paper's: a quarter of them for the warm-up, the rest in five phases. The rate ends at 0: the
# toolbox's 1e-4 is more than what transformers start with.
_base_ = 'dmt.py'
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=5e-4))
phases = dict(warm_up=10000, iters=6000, labeled=2, pseudo=6)
custom_hooks = [dict(type='mmdmt.DMTHook', **phases, carry='last', labeling=dict(num_workers=4))]
train_cfg = dict(val_interval=2000)

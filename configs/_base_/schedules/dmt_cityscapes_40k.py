# 40 000 iterations in all at the learning rate of the toolbox's own schedules, as today's runs on Cityscapes at full
# resolution. Ours, not the paper's: a quarter of them for the warm-up, the rest in five phases. The rate ends at 0: the
# toolbox's 1e-4 is more than what transformers start with.
_base_ = 'dmt_cityscapes.py'
optim_wrapper = dict(optimizer=dict(lr=0.01))
phase = dict(iters=6000, labeled=2, pseudo=6)
phases = [dict(iters=10000, labeled=8), *(dict(phase, label_ratio=ratio) for ratio in (0.2, 0.4, 0.6, 0.8, 1.0))]
custom_hooks = [dict(type='mmdmt.DMTHook', phases=phases, carry='last', labeling=dict(num_workers=4))]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=10000 + 5 * 6000, val_interval=2000)

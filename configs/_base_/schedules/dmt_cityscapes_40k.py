# 40 000 iterations in all with the toolbox's own optimizer, as today's runs on Cityscapes at full resolution. Ours, not
# the paper's: a quarter of them for the warm-up, the rest in five phases.
_base_ = 'dmt_cityscapes.py'
optim_wrapper = dict(optimizer=dict(lr=0.01))
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=1e-4, by_epoch=False)]
phase = dict(iters=6000, labeled=2, pseudo=6)
phases = [dict(iters=10000, labeled=8), *(dict(phase, label_ratio=ratio) for ratio in (0.2, 0.4, 0.6, 0.8, 1.0))]
custom_hooks = [dict(type='mmdmt.DMTHook', phases=phases, carry='last', labelling=dict(num_workers=4))]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=10000 + 5 * 6000, val_interval=2000)

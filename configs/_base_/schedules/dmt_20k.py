# 20 000 iterations: a warm-up, and the paper's five phases at half the learning rate.
_base_ = 'dmt.py'
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.004, momentum=0.9, weight_decay=5e-4))
custom_hooks = [dict(type='mmdmt.DMTHook', warm_up=5000, iters=3000, labeled=2, pseudo=6, lr_factor=0.5)]
train_cfg = dict(val_interval=1000)

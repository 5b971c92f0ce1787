# 60 epochs of 2975 labeled images in 372 batches, for one ordinary segmentor. The validation interval is not published.
_base_ = 'voc_all-labels.py'
optim_wrapper = dict(optimizer=dict(lr=0.004))
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=0.0, by_epoch=False, end=22320)]
train_cfg = dict(max_iters=22320, val_interval=350)

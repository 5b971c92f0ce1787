# 30 epochs of 10 582 labeled images in 1323 batches, for one ordinary segmentor.
_base_ = 'dmt.py'
optimizer = dict(type='SGD', lr=0.002, momentum=0.9, weight_decay=5e-4)
optim_wrapper = dict(constructor='DefaultOptimWrapperConstructor', optimizer=optimizer)
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=0.0, by_epoch=False, end=39690)]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=39690, val_interval=500)

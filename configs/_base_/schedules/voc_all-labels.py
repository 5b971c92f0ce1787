# 30 epochs of 10 582 labeled images, for one ordinary segmentor.
_base_ = 'dmt_voc.py'
optim_wrapper = dict(constructor='DefaultOptimWrapperConstructor')
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=0.0, by_epoch=False, end=39690)]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=39690, val_interval=500)

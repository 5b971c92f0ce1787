# 60 epochs of 2975 labeled images, for one ordinary segmentor. The validation interval is not published.
_base_ = 'dmt_cityscapes.py'
optim_wrapper = dict(constructor='DefaultOptimWrapperConstructor')
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=0.0, by_epoch=False, end=22320)]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=22320, val_interval=350)

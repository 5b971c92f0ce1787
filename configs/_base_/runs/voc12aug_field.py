# VOC 2012 with the lists of today's tables: phases as long as the paper's, after a warm-up of 5000 iterations whatever
# the list. Ours: the paper has none of these lists.
_base_ = 'voc12aug.py'
custom_hooks = [dict(_base_.custom_hooks[0], warm_up=5000, iters=6000)]
train_cfg = dict(val_interval=1000)

# VOC 2012 with the lists of today's tables: phases as long as the paper's, after a warm-up of 5000 iterations whatever
# the list. Ours: the paper has none of these lists.
_base_ = 'voc12aug.py'
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(
    _base_, warm_up=5000, iters=6000, val_interval=1000
)

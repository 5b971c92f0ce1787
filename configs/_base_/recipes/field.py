# The recipe of configs/field: after the warm-up, the averages of the peers label weak views for each other in every
# iteration; strong views of them are learned, with CutMix. Half of a batch is labeled.
# A leaf applies it by
#   model, train_dataloader, custom_hooks, train_cfg = __import__('mmdmt.configs').configs.recipe(_base_, ...)
_base_ = ['strong_views.py', 'cutmix.py', 'average.py', 'online.py']

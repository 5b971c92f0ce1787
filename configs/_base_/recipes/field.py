# The recipe of configs/field: after the warm-up, the averages of the peers label weak views for each other in every
# iteration; strong views of them are learned, with CutMix. Half of a batch is labeled.
_base_ = ['strong_views.py', 'cutmix.py', 'average.py', 'online.py']

# What the recipes of online labels are made of: the averages of the peers label weak views for each other in every
# iteration; strong views are learned, with CutMix. A leaf applies it by
#   train_dataloader = dict(dataset=dict(learner_view=_base_.strong_views))
#   model = dict(mixes=_base_.cutmix)
#   custom_hooks = [dict(type='mmdmt.DMTHook', labeled=4, pseudo=4, iters=..., online=_base_.online), _base_.average]
_base_ = ['strong_views.py', 'cutmix.py', 'average.py', 'online.py']

# CamVid, 30 labels: as FixMatch for pixels, each peer by itself. Its own average labels the weak view; it learns from a
# strong one with CutMix what the average is at least 0.95 sure of, all of it alike.
_base_ = [
    'cps-cutmix_lite0-lite1_1xb12_camvid-30.py',
    '../_base_/recipes/strong_views.py',
    '../_base_/recipes/average.py',
]
train_dataloader = dict(dataset=dict(learner_view=_base_.strong_views))
model = dict(labelers=dict(lite0='lite0', lite1='lite1'))
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(
    _base_,
    warm_up=0,
    hook=_base_.hook,
    iters=_base_.train_cfg.max_iters,
    online=dict(labeler='average', min_confidence=0.95),
)
custom_hooks += [dict(_base_.average, momentum=0.01)]

# CamVid, 30 labels: FixMatch-like, for pixels, each peer by itself. Its own average labels the weak view; it learns
# from a strong one with CutMix what the average is at least 0.95 sure of, all of it alike.
_base_ = [
    'cps-like-cutmix_lite0-lite1_1xb12_camvid-30.py',
    '../_base_/recipes/strong_views.py',
    '../_base_/recipes/average.py',
]
train_dataloader = dict(dataset=dict(learner_view=_base_.strong_views))
model = dict(labelers=dict(lite0='lite0', lite1='lite1'))
online = dict(labeler='average', min_confidence=0.95)
hook = dict(_base_.custom_hooks[0], warm_up=None, iters=1000, online=online)
custom_hooks = [hook, _base_.custom_hooks[1], dict(_base_.average, momentum=0.01)]

# CamVid, 30 labels: as FixMatch for pixels, each peer by itself. Its own average labels the weak view; it learns from a
# strong one with CutMix what the average is at least 0.95 sure of, all of it alike.
_base_ = [
    'cps-cutmix_lite0-lite1_1xb12_camvid-30.py',
    '../_base_/recipes/strong_views.py',
    '../_base_/recipes/average.py',
]
model, train_dataloader, custom_hooks, train_cfg = __import__('mmdmt.configs').configs.recipe(
    _base_, hook=_base_.hook, gamma=0.0, min_confidence=0.95, momentum=0.01
)
model['labelers'] = dict(lite0='lite0', lite1='lite1')

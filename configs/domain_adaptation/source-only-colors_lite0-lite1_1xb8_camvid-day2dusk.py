# The lower bound with colors that vary: images by day get the color transforms that the recipe gives to those at dusk.
_base_ = ['source-only_lite0-lite1_1xb8_camvid-day2dusk.py', '../_base_/recipes/strong_views.py']
*shapes, pack = _base_.train_pipeline
train_dataloader = dict(dataset=dict(labeled=dict(pipeline=[*shapes, *_base_.strong_views, pack])))

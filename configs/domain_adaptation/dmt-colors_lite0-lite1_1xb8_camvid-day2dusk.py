# DMT with colors that vary: images by day, and those at dusk when they are learned, get the recipe's color transforms.
# Labels are made of images as they are.
_base_ = ['dmt_lite0-lite1_1xb8_camvid-day2dusk.py', '../_base_/recipes/strong_views.py']
*shapes, pack = _base_.train_pipeline
train_dataloader = dict(
    dataset=dict(labeled=dict(pipeline=[*shapes, *_base_.strong_views, pack]), learner_view=_base_.strong_views)
)

# CamVid, 30 labels: the paper's phases, and the learner sees strong views with CutMix.
_base_ = [
    'dmt_lite0-lite1_1xb8_camvid-30.py',
    '../_base_/recipes/strong_views.py',
    '../_base_/recipes/cutmix.py',
]
train_dataloader = dict(dataset=dict(learner_view=_base_.strong_views))
model = dict(mixes=_base_.cutmix)

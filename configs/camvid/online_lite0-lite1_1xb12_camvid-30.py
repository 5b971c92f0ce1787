# CamVid, 30 labels, one phase without a warm-up: the peers' averages label the weak views for each other in every
# iteration; what they are at least 0.7 sure of is learned from strong views, with classes of labeled images pasted on
# (ClassMix) and rectangles exchanged (CutMix). Labeled images are drawn by class, the rare ones oftener.
_base_ = [
    'dmt_lite0-lite1_1xb8_camvid-30.py',
    '../_base_/recipes/strong_views.py',
    '../_base_/recipes/class_mix.py',
    '../_base_/recipes/cutmix.py',
    '../_base_/recipes/average.py',
]
train_dataloader = dict(batch_size=12, dataset=dict(learner_view=_base_.strong_views))
model = dict(mixes=[*_base_.class_mix, *_base_.cutmix], loss=dict(gamma_agree=1.0, gamma_disagree=1.0))
rare = dict(temperature=0.1, min_pixels=30)
hook = dict(_base_.hook, phases=[dict(labeled=12), dict(labeled=8, pseudo=4)], rare_classes=rare)
online = dict(labeler='average', min_confidence=0.7)
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(
    _base_, hook=hook, warm_up=0, iters=_base_.train_cfg.max_iters, online=online
)
average = dict(_base_.average, momentum=0.01)  # a memory of a hundred iterations, of six hundred
custom_hooks += [average]

# CamVid, 30 labels, one phase without a warm-up: the peers' averages label the weak views for each other in every
# iteration; what they are at least 0.7 sure of is learned from strong views, with classes of labeled images pasted on
# (ClassMix) and rectangles exchanged (CutMix). Labeled images are drawn by class, the rare ones oftener.
_base_ = ['dmt_lite0-lite1_1xb8_camvid-30.py', '../_base_/recipes/field.py', '../_base_/recipes/class_mix.py']
train_dataloader = dict(batch_size=12, dataset=dict(learner_view=_base_.strong_views))
model = dict(mixes=[*_base_.class_mix, *_base_.cutmix], loss=dict(gamma_agree=1.0, gamma_disagree=1.0))
phases = dict(iters=1000, labeled=8, pseudo=4, online=dict(labeler='average', min_confidence=0.7))
rare = dict(temperature=0.1, min_pixels=30)
hook = dict(type='mmdmt.DMTHook', **phases, rare_classes=rare, labeling=dict(num_workers=0))
average = dict(_base_.average, momentum=0.01)  # a memory of a hundred iterations
custom_hooks = [hook, _base_.custom_hooks[1], average]

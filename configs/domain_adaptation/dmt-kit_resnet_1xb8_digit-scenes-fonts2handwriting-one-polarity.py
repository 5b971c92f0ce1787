# The recipe of the scenes with few labels, with its settings, after a warm-up of 500 iterations: the peers' averages
# label the target in every iteration; strong views of it are learned, with printed digits pasted on and rectangles
# exchanged.
_base_ = [
    'dmt_resnet_1xb8_digit-scenes-fonts2handwriting-one-polarity.py',
    '../_base_/recipes/field.py',
    '../_base_/recipes/class_mix.py',
]
train_dataloader = dict(dataset=dict(learner_view=_base_.strong_views))
model = dict(mixes=[*_base_.class_mix, *_base_.cutmix], loss=dict(gamma_agree=1.0, gamma_disagree=1.0))
online = dict(_base_.online, min_confidence=0.7)
hook = dict(type='mmdmt.DMTHook', warm_up=500, iters=1000, labeled=4, pseudo=4, online=online)
custom_hooks = [hook, dict(_base_.average, momentum=0.01)]

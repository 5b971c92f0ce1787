# The recipe after a warm-up of 500 iterations: the peers' averages label the target in every iteration; strong views of
# it are learned, with printed digits pasted on and rectangles exchanged.
_base_ = [
    'dmt_resnet_1xb8_digit-scenes-fonts2handwriting-one-polarity.py',
    '../_base_/recipes/strong_views.py',
    '../_base_/recipes/class_mix.py',
    '../_base_/recipes/cutmix.py',
    '../_base_/recipes/average.py',
    '../_base_/recipes/online.py',
]
train_dataloader = dict(dataset=dict(learner_view=_base_.strong_views))
model = dict(mixes=[*_base_.class_mix, *_base_.cutmix])
hook = dict(type='mmdmt.DMTHook', phases=[dict(labeled=8), dict(labeled=4, pseudo=4)])
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(
    _base_, hook=hook, warm_up=500, iters=2000, online=_base_.online
)
custom_hooks += [_base_.average]

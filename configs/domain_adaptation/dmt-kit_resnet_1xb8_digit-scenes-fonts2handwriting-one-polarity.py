# The recipe of the scenes with few labels, with its settings, after a warm-up of 500 iterations: the peers' averages
# label the target in every iteration; strong views of it are learned, with printed digits pasted on and rectangles
# exchanged.
_base_ = [
    'dmt_resnet_1xb8_digit-scenes-fonts2handwriting-one-polarity.py',
    '../_base_/recipes/field.py',
    '../_base_/recipes/class_mix.py',
]
hook = dict(type='mmdmt.DMTHook', phases=[dict(labeled=8), dict(labeled=4, pseudo=4)])
mixes = [*_base_.class_mix, *_base_.cutmix]
model, train_dataloader, custom_hooks, train_cfg = __import__('mmdmt.configs').configs.recipe(
    _base_, hook=hook, warm_up=500, mixes=mixes, min_confidence=0.7, momentum=0.01
)

# Cityscapes, DeepLabV3+ on a ResNet-101, twice, in crops of 769: the recipe in place of the five phases, as
# long as they; every label is learned.
_base_ = ['cityscapes_deeplabv3plus-r101_769.py', '../recipes/field.py']
model = dict(mixes=_base_.cutmix)
steps = _base_.train_dataloader.dataset.labeled.pipeline
plain = dict(pipeline=[step for step in steps if step['type'] != 'PhotoMetricDistortion'])  # what labelers see
train_dataloader = dict(dataset=dict(labeled=plain, learner_view=_base_.strong_views))
hook = dict(_base_.custom_hooks[0], phases=[dict(labeled=8), dict(labeled=4, pseudo=4)])
online = _base_.online
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(
    _base_, hook=hook, warm_up=10000, iters=30000, online=online
)
custom_hooks += [_base_.average]

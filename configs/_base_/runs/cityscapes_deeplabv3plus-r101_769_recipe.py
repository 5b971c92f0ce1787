# Cityscapes, DeepLabV3+ on a ResNet-101, twice, in crops of 769: the recipe in place of the five phases, as
# long as they; every label is learned.
_base_ = ['cityscapes_deeplabv3plus-r101_769.py', '../recipes/field.py']
hook = dict(_base_.custom_hooks[0], phases=[dict(labeled=8), dict(labeled=4, pseudo=4)])
model, train_dataloader, custom_hooks, train_cfg = __import__('mmdmt.configs').configs.recipe(
    _base_, warm_up=10000, iters=30000, hook=hook, without=['PhotoMetricDistortion']
)

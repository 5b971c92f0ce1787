# VOC, DeepLabV3+ on a ResNet-101, twice: the recipe in place of the five phases, as long as they; every label is
# learned.
_base_ = ['voc12aug_deeplabv3plus-r101.py', '../recipes/field.py']
hook = dict(_base_.custom_hooks[0], phases=[dict(labeled=8), dict(labeled=4, pseudo=4, lr_factor=0.5)])
model, train_dataloader, custom_hooks, train_cfg = __import__('mmdmt.configs').configs.recipe(
    _base_, warm_up=5000, iters=30000, hook=hook
)

# The recipe of CamVid: after a warm-up of 400 iterations the peers' averages label online; what they are at least 0.7
# sure of is learned from strong views, with CutMix and with classes of labeled images pasted on.
_base_ = ['dmt_unet-resnet_1xb8_digit-scenes.py', '../_base_/recipes/field.py', '../_base_/recipes/class_mix.py']
hook = dict(type='mmdmt.DMTHook', phases=[dict(labeled=8), dict(labeled=4, pseudo=4)])
mixes = [*_base_.class_mix, *_base_.cutmix]
model, train_dataloader, custom_hooks, train_cfg = __import__('mmdmt.configs').configs.recipe(
    _base_, warm_up=400, hook=hook, mixes=mixes, min_confidence=0.7, momentum=0.01
)

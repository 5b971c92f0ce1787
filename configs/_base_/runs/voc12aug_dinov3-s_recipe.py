# VOC, DINOv3's ViT-S and ConvNeXt-T: the recipe in place of the five phases, as long as they; labels of a
# confidence of 0.95 are learned.
_base_ = ['voc12aug_dinov3-s.py', '../recipes/field.py']
model = dict(mixes=_base_.cutmix)
train_dataloader = dict(dataset=dict(learner_view=_base_.strong_views))
hook = dict(_base_.custom_hooks[0], phases=[dict(labeled=8), dict(labeled=4, pseudo=4, lr_factor=0.5)])
online = dict(_base_.online, min_confidence=0.95)
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(
    _base_, hook=hook, warm_up=5000, iters=30000, online=online
)
custom_hooks += [_base_.average]

# The recipe of CamVid: after a warm-up of 400 iterations the peers' averages label online; what they are at least 0.7
# sure of is learned from strong views, with CutMix and with classes of labeled images pasted on.
_base_ = ['dmt_unet-resnet_1xb8_digit-scenes.py', '../_base_/recipes/field.py', '../_base_/recipes/class_mix.py']
train_dataloader = dict(dataset=dict(learner_view=_base_.strong_views))
model = dict(mixes=[*_base_.class_mix, *_base_.cutmix], loss=dict(gamma_agree=1.0, gamma_disagree=1.0))
online = dict(_base_.online, min_confidence=0.7)
hook = dict(type='mmdmt.DMTHook', warm_up=400, iters=1100, labeled=4, pseudo=4, online=online)
custom_hooks = [hook, _base_.custom_hooks[1], dict(_base_.average, momentum=0.01)]

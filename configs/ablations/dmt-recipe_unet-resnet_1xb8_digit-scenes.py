# The recipe of CamVid: after a warm-up of 400 iterations the peers' averages label online; what they are at least 0.7
# sure of is learned from strong views, with CutMix and with classes of labeled images pasted on.
_base_ = [
    '../dmt/dmt_unet-resnet_1xb8_digit-scenes.py',
    '../_base_/recipes/strong_views.py',
    '../_base_/recipes/cutmix.py',
    '../_base_/recipes/class_mix.py',
    '../_base_/recipes/average.py',
]
train_dataloader = dict(dataset=dict(learner_view=_base_.strong_views))
model = dict(mixes=[*_base_.class_mix, *_base_.cutmix], loss=dict(gamma_agree=1.0, gamma_disagree=1.0))
hook = dict(type='mmdmt.DMTHook', phases=[dict(labeled=8), dict(labeled=4, pseudo=4)])
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(
    _base_, hook=hook, warm_up=400, iters=1100, online=dict(labeler='average', min_confidence=0.7)
)
custom_hooks += [dict(_base_.average, momentum=0.01)]

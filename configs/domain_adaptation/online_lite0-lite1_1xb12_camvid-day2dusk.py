# CamVid from day to dusk by the recipe of configs/camvid: online labels by averages, strong views, CutMix and ClassMix.
_base_ = ['dmt_lite0-lite1_1xb8_camvid-day2dusk.py', '../_base_/recipes/field.py', '../_base_/recipes/class_mix.py']
train_dataloader = dict(batch_size=12, dataset=dict(learner_view=_base_.strong_views))
model = dict(mixes=[*_base_.class_mix, *_base_.cutmix], loss=dict(gamma_agree=1.0, gamma_disagree=1.0))
phases = dict(iters=1000, labeled=8, pseudo=4, online=dict(labeler='average', min_confidence=0.7))
rare = dict(temperature=0.1, min_pixels=30)
hook = dict(type='mmdmt.DMTHook', **phases, rare_classes=rare, labeling=dict(num_workers=0))
pictures = dict(type='mmdmt.PictureHook', images=2, val_images=2)
custom_hooks = [hook, pictures, dict(_base_.average, momentum=0.01)]

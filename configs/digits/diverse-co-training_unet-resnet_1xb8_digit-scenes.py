# As Diverse Co-training: two architectures label the weak views for each other; each learns from strong ones with
# CutMix. Every label counts alike.
_base_ = ['cps-cutmix_unet-resnet_1xb8_digit-scenes.py', '../_base_/recipes/strong_views.py']
train_dataloader = dict(dataset=dict(learner_view=_base_.strong_views))

# DMT whose learners see pseudo-labeled images in strong colors.
_base_ = ['dmt_unet-resnet_1xb8_digit-scenes.py', '../_base_/recipes/strong_views.py']
train_dataloader = dict(dataset=dict(learner_view=_base_.strong_views))

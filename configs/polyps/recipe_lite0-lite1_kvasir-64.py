# Kvasir-SEG, 50 labels: averages label weak views for each other in every iteration, every label counts; all images in
# the same colors, unlabeled ones with CutMix.
_base_ = ['supervised-views_lite0-lite1_kvasir-64.py', '../_base_/recipes/cutmix.py']
train_dataloader = dict(batch_size=8, dataset=dict(learner_view=_base_.mild_views))
model = dict(mixes=_base_.cutmix, loss=dict(gamma_agree=0.0, gamma_disagree=0.0))
phases = dict(iters=700, labeled=4, pseudo=4, online=dict(labeler='average'))
hook = dict(type='mmdmt.DMTHook', **phases, labeling=dict(num_workers=0))
custom_hooks = [hook, _base_.average]

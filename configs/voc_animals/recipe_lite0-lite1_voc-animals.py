# VOC animals, 35 labels: the recipe, after labels alone (load_from).
# In every iteration the mean of both averages labels weak views; every label counts, mean over labeled plus mean over
# unlabeled images, all in the same mild colors, the latter with CutMix. Unlabeled images keep about their scale:
# labels of crops of half the size, or cut off by enlargement, are worse. What it gains: docs/en/results.md.
_base_ = ['supervised-views_lite0-lite1_voc-animals.py', '../_base_/recipes/cutmix.py']
unlabeled_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='mmdmt.LoadPseudoLabel'),
    dict(type='mmdmt.RandomScale', min_factor=0.85, max_factor=1.3),
    dict(type='RandomCrop', crop_size=(80, 80)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmdmt.PackPseudoLabel'),
]
unlabeled = dict(pipeline=unlabeled_pipeline)
train_dataloader = dict(batch_size=8, dataset=dict(unlabeled=unlabeled, learner_view=_base_.mild_views))
loss = dict(gamma_agree=0.0, gamma_disagree=0.0, pseudo_weight=1.0)
model = dict(mixes=_base_.cutmix, loss=loss)
phases = dict(iters=350, labeled=4, pseudo=4, online=dict(labeler='ensemble'))
hook = dict(type='mmdmt.DMTHook', **phases, labeling=dict(num_workers=0))
custom_hooks = [hook, _base_.average]

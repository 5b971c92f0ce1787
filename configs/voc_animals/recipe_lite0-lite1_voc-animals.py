# VOC animals, 35 labels: the recipe, from a warm-up on labels alone (load_from).
_base_ = ['supervised-views_lite0-lite1_voc-animals.py', '../_base_/recipes/recipe.py']
unlabeled_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='mmdmt.LoadPseudoLabel'),
    dict(type='mmdmt.RandomScale', min_factor=0.85, max_factor=1.3),
    dict(type='RandomCrop', crop_size=(144, 144)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmdmt.PackPseudoLabel'),
]
unlabeled = dict(pipeline=unlabeled_pipeline)
train_dataloader = dict(batch_size=8, dataset=dict(unlabeled=unlabeled, learner_view=_base_.mild_views))
model = dict(mixes=_base_.cutmix, loss=_base_.recipe_loss)
phases = dict(iters=400, labeled=4, pseudo=4, online=_base_.recipe_online)
hook = dict(type='mmdmt.DMTHook', **phases, labeling=dict(num_workers=0))
custom_hooks = [hook, _base_.average]

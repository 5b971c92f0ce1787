# The recipe of this house, the same on all data. In every iteration the average of the other peer labels a weak view;
# of each class the surest half of about the last 50 iterations counts, all of it alike. The means over labeled and over
# unlabeled images count alike. Unlabeled images come on top of the labeled batch, near their own scale, in the mild
# colors that labeled images have, too, and with CutMix. What it gains, and what not: docs/en/results.md.
# A leaf on top of labels alone in mild colors applies it by
#   train_dataloader = dict(batch_size=8, dataset=dict(unlabeled=..., learner_view=_base_.mild_views))
#   model = dict(mixes=_base_.cutmix, loss=_base_.recipe_loss)
#   hook = dict(type='mmdmt.DMTHook', labeled=4, pseudo=4, iters=..., online=_base_.recipe_online)
#   custom_hooks = [hook, _base_.average]
_base_ = 'cutmix.py'
recipe_online = dict(labeler='average', label_ratio=0.5, window=50)
recipe_loss = dict(gamma_agree=0.0, gamma_disagree=0.0, pseudo_weight=1.0)

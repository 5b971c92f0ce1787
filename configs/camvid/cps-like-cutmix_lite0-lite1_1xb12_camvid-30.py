# CamVid, 30 labels: CPS-like (cross pseudo supervision) with CutMix. After a fifth of the iterations on labels alone
# the peers label for each other in every iteration, and every label of an unlabeled image counts alike.
_base_ = ['dmt_lite0-lite1_1xb8_camvid-30.py', '../_base_/recipes/cutmix.py']
train_dataloader = dict(batch_size=12)
model = dict(mixes=_base_.cutmix, loss=dict(gamma_agree=0.0, gamma_disagree=0.0))
phases = dict(warm_up=200, iters=800, labeled=8, pseudo=4, online=dict(labeler='weights'))
hook = dict(type='mmdmt.DMTHook', **phases, labeling=dict(num_workers=0))
custom_hooks = [hook, _base_.custom_hooks[1]]

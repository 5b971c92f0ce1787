# CamVid, 30 labels: cross pseudo supervision with CutMix. After a fifth of the iterations on labels alone the peers
# label for each other in every iteration, and every label counts alike.
_base_ = ['dmt_lite0-lite1_1xb8_camvid-30.py', '../_base_/recipes/cutmix.py']
train_dataloader = dict(batch_size=12)
model = dict(mixes=_base_.cutmix, loss=dict(gamma_agree=0.0, gamma_disagree=0.0))
hook = dict(_base_.hook, phases=[dict(labeled=12), dict(labeled=8, pseudo=4)])
warm_up = _base_.train_cfg.max_iters // 5
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(
    _base_, hook=hook, warm_up=warm_up, iters=_base_.train_cfg.max_iters - warm_up, online=dict(labeler='weights')
)

# Cross pseudo supervision: two peers label for each other in every iteration, from the first one on, and every label
# counts alike. As long as DMT.
_base_ = 'dmt_unet-resnet_1xb8_digit-scenes.py'
model = dict(loss=dict(gamma_agree=0.0, gamma_disagree=0.0))
hook = dict(type='mmdmt.DMTHook', phases=[dict(labeled=8), dict(labeled=4, pseudo=4)])
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(
    _base_, hook=hook, warm_up=0, iters=_base_.train_cfg.max_iters, online=dict(labeler='weights')
)

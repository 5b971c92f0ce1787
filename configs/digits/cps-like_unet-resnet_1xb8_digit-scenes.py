# CPS-like (cross pseudo supervision): two peers label for each other in every iteration, from the first one on, and
# every label of an unlabeled image counts alike. As long as DMT.
_base_ = 'dmt_unet-resnet_1xb8_digit-scenes.py'
model = dict(loss=dict(gamma_agree=0.0, gamma_disagree=0.0))
hook = dict(type='mmdmt.DMTHook', iters=1500, labeled=4, pseudo=4, online=dict(labeler='weights'))
custom_hooks = [hook, _base_.custom_hooks[1]]

# One peer, which labels the images of each batch itself and learns what it is at least 0.9 sure of, as long as DMT. The
# labels that are made at the phase's start, as in every phase, are not used.
_base_ = 'self-training_unet_1xb8_digit-scenes.py'
model = dict(loss=dict(rule='online', online_threshold=0.9))
phases = [_base_.phases[0], dict(_base_.phase, iters=5 * 100, label_ratio=1.0)]
custom_hooks = [dict(_base_.custom_hooks[0], phases=phases)]

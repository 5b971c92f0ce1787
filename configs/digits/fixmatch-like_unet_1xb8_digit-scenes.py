# FixMatch-like, for pixels: one peer, whose average labels the weak view; it learns from a strong one with CutMix what
# the average is at least 0.95 sure of, all of it alike. As long as DMT, without a warm-up.
_base_ = ['cps-like_unet-resnet_1xb8_digit-scenes.py', '../_base_/recipes/field.py']
train_dataloader = dict(dataset=dict(learner_view=_base_.strong_views))
model = dict(peers=dict(_delete_=True, unet=_base_.model.peers.unet), mixes=_base_.cutmix)
online = dict(_base_.online, min_confidence=0.95)
custom_hooks = [dict(_base_.custom_hooks[0], online=online), _base_.custom_hooks[1], _base_.average]

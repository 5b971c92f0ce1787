# As FixMatch for pixels: one peer, whose average labels the weak view; it learns from a strong one with CutMix what the
# average is at least 0.95 sure of, all of it alike. As long as DMT, without a warm-up.
_base_ = [
    'cps_unet-resnet_1xb8_digit-scenes.py',
    '../_base_/recipes/strong_views.py',
    '../_base_/recipes/cutmix.py',
    '../_base_/recipes/average.py',
    '../_base_/recipes/online.py',
]
model, train_dataloader, custom_hooks, train_cfg = __import__('mmdmt.configs').configs.recipe(
    _base_, hook=_base_.hook, gamma=0.0, min_confidence=0.95
)
model['peers'] = dict(_delete_=True, unet=_base_.model.peers.unet)

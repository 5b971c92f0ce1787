# As the self-training of DAFormer: one peer, whose average labels the weak view; classes of a labeled image are pasted
# onto the strong one; all labels of a batch weigh as much as the share of them that the average is 0.968 sure of; rare
# classes are drawn oftener. A digit has 100 to 600 pixels in a labeled scene. As long as DMT, without a warm-up.
_base_ = [
    'cps_unet-resnet_1xb8_digit-scenes.py',
    '../_base_/recipes/strong_views.py',
    '../_base_/recipes/class_mix.py',
    '../_base_/recipes/average.py',
    '../_base_/recipes/online.py',
]
rare = dict(_base_.hook, rare_classes=dict(temperature=0.01, min_pixels=100))
model, train_dataloader, custom_hooks, train_cfg = __import__('mmdmt.configs').configs.recipe(
    _base_, hook=rare, mixes=_base_.class_mix
)
model.update(peers=dict(_delete_=True, unet=_base_.model.peers.unet), loss=dict(rule='share'))

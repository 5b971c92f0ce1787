# Cross pseudo supervision with CutMix, after the warm-up of the recipe: 400 iterations on labels alone.
_base_ = 'cps-cutmix_unet-resnet_1xb8_digit-scenes.py'
warm_up = 400
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(
    _base_,
    hook=_base_.hook,
    warm_up=warm_up,
    iters=_base_.train_cfg.max_iters - warm_up,
    online=dict(labeler='weights'),
)

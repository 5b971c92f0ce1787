# VOC blended 1/8 (1323) of UniMatch, ViT-S and ConvNeXt-T of DINOv3: labels alone, as long as DMT.
_base_ = 'dmt_dinov3-s_1xb8_voc12aug-unimatch1of8-512x512.py'
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(
    _base_, warm_up=_base_.train_cfg.max_iters, ratios=()
)

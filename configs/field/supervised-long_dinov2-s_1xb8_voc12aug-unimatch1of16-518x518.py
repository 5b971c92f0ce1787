# VOC blended 1/16 (662) of UniMatch, DINOv2-S under UPerNet and under DPT: labels alone, as long as DMT.
_base_ = 'dmt_dinov2-s_1xb8_voc12aug-unimatch1of16-518x518.py'
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(
    _base_, warm_up=_base_.train_cfg.max_iters, ratios=()
)

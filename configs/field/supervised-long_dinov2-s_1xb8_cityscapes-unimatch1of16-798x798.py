# Cityscapes 1/16 (186) of UniMatch, DINOv2-S under UPerNet and under DPT: labels alone, as long as DMT.
_base_ = 'dmt_dinov2-s_1xb8_cityscapes-unimatch1of16-798x798.py'
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(
    _base_, warm_up=_base_.train_cfg.max_iters, ratios=()
)

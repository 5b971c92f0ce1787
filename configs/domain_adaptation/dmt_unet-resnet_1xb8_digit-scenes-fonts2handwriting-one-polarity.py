# Domain adaptation in miniature, with the digits of both domains light on dark: a U-Net and a residual network.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/digit_peers.py',
    '../_base_/datasets/digit_scenes_fonts2handwriting_one-polarity.py',
    '../_base_/schedules/digit_scenes.py',
]
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(_base_, ratios=(0.1, 0.2, 0.3, 0.4, 0.5))

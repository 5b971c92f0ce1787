# Domain adaptation in miniature, with the digits of both domains light on dark: a U-Net and a residual network.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/digit_peers.py',
    '../_base_/datasets/digit_scenes_fonts2handwriting_one-polarity.py',
    '../_base_/schedules/digit_scenes.py',
]
# Never more than half of a class, as is usual where labels are of another domain: the less confident half is wrong more
# often than right.
custom_hooks = [dict(_base_.custom_hooks[0], ratios=(0.1, 0.2, 0.3, 0.4, 0.5))]

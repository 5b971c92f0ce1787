# Scenes of handwritten digits, 40 labels: a U-Net and a residual network teach each other by the paper's rule.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/digit_peers.py',
    '../_base_/datasets/digit_scenes.py',
    '../_base_/schedules/digit_scenes.py',
]
custom_hooks = [*_base_.custom_hooks, dict(type='mmdmt.PictureHook')]

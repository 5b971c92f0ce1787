# CamVid, 30 labels: two EfficientNet-Lites teach each other by the paper's rule and phases.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/camvid_peers.py',
    '../_base_/datasets/camvid.py',
    '../_base_/schedules/camvid.py',
]
train_dataloader = __import__('mmdmt.configs').configs.lists(_base_.lists, '30')
custom_hooks = [*_base_.custom_hooks, dict(type='mmdmt.PictureHook', images=2, val_images=2)]

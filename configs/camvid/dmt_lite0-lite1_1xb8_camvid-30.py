# CamVid, 30 labels: two EfficientNet-Lites teach each other by the paper's rule and phases.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/camvid_peers.py',
    '../_base_/datasets/camvid.py',
    '../_base_/schedules/camvid.py',
]
train_dataloader = dict(dataset=dict(lists='splits/camvid/split0/{}_30.txt'))
custom_hooks = [*_base_.custom_hooks, dict(type='mmdmt.PictureHook', images=2, val_images=2)]

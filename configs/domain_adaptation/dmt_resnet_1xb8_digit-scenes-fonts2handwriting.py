# Domain adaptation in miniature: learn from printed digits with labels and handwritten ones without. The peers are two
# residual networks, each with random weights and draws of its own; README.md says why not a U-Net and one of them.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/digit_peers.py',
    '../_base_/datasets/digit_scenes_fonts2handwriting.py',
    '../_base_/schedules/digit_scenes.py',
]
model = dict(peers=dict(_delete_=True, left=_base_.model.peers.resnet, right=_base_.model.peers.resnet))
# A longer warm-up, and never more than half of a class, as is usual where labels are of another domain: the less
# confident half is wrong more often than right.
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(
    _base_, warm_up=1500, iters=200, ratios=(0.1, 0.2, 0.3, 0.4, 0.5)
)

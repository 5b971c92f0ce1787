# Cityscapes at full resolution, 1/8, networks of today. Not in the paper, whose numbers are of half resolution.
# The two peers start from the same backbone; their heads are initialized one after the other, and each draws images and
# augmentations of its own.
_base_ = [
    '../_base_/runs/cityscapes_1of8.py',
    '../_base_/models/dmt_deeplabv3plus_r50-d8.py',
]
model = __import__('mmdmt.configs').configs.peers(
    _base_, 769, num_classes=19, stride=513, align_corners=['left', 'right']
)
model['loss'] = dict(gamma_agree=3.0, gamma_disagree=3.0)

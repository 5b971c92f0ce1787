# VOC 2012, 1/8, in the paper's schedule with networks of today. Not in the paper.
# The two peers start from the same backbone; their heads are initialized one after the other, and each draws images and
# augmentations of its own.
_base_ = [
    '../_base_/runs/voc12aug_1of8.py',
    '../_base_/models/dmt_deeplabv3plus_r50-d8.py',
]
voc = dict(
    data_preprocessor=dict(size=(321, 321), test_cfg=dict(size=(505, 505))),
    decode_head=dict(num_classes=21),
    auxiliary_head=dict(num_classes=21),
)
model = dict(peers=dict(left=voc, right=voc))

# VOC 2012, 1/8: SegFormer-B0, twice, in the paper's phases. Not in the paper. Peers start from the same backbone;
# their heads are initialized one after the other, and each draws images and augmentations of its own.
_base_ = [
    '../_base_/runs/voc12aug_1of8.py',
    '../_base_/models/dmt_segformer_mit-b0.py',
    '../_base_/schedules/segformer_adamw.py',
]
voc = dict(data_preprocessor=dict(size=(321, 321), test_cfg=dict(size=(505, 505))), decode_head=dict(num_classes=21))
model = dict(peers=dict(left=voc, right=voc))
optim_wrapper = _base_.segformer_adamw

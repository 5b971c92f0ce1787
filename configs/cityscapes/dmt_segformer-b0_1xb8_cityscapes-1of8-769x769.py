# Cityscapes at full resolution, 1/8: SegFormer-B0, twice. Not in the paper. The two peers start from the same backbone;
# their heads are initialized one after the other, and each draws images and augmentations of its own.
_base_ = [
    '../_base_/runs/cityscapes_1of8.py',
    '../_base_/models/dmt_segformer_mit-b0.py',
    '../_base_/schedules/segformer_adamw.py',
]
model = __import__('mmdmt.configs').configs.peers(_base_, 769, stride=513)
model['loss'] = dict(gamma_agree=3.0, gamma_disagree=3.0)
optim_wrapper = _base_.segformer_adamw

# Cityscapes at full resolution, 1/8: as with SegFormer-B0, with B2.
_base_ = 'dmt_segformer-b0_1xb8_cityscapes-1of8-769x769.py'
model = dict(peers=dict(left=_base_.mit_b2, right=_base_.mit_b2))

# SegFormer-B2, twice: peers that differ in their initial heads and in the images they see.
_base_ = 'dmt_segformer_mit-b0.py'
model = dict(peers=dict(_delete_=True, left=_base_.segformer_b2, right=_base_.segformer_b2))

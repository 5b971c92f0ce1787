# SegFormer-B0, twice: peers that differ in their initial heads and in the images they see.
_base_ = 'segformer.py'
model = dict(
    type='mmdmt.DynamicMutualTraining',
    peers=dict(left=_base_.segformer_b0, right=_base_.segformer_b0),
    loss=dict(type='mmdmt.DynamicMutualLoss', gamma_agree=5.0, gamma_disagree=5.0),
)

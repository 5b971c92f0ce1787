# DeepLabV3+ on a ResNet-50, twice: peers that differ in their initial heads and in the images they see.
_base_ = 'mmseg::_base_/models/deeplabv3plus_r50-d8.py'
model = dict(
    _delete_=True,
    type='mmdmt.DynamicMutualTraining',
    peers=dict(left=_base_.model, right=_base_.model),
    loss=dict(type='mmdmt.DynamicMutualLoss', gamma_agree=5.0, gamma_disagree=5.0),
)

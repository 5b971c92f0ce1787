# Handwritten digits, 40 labels: one network that learns from its own pseudo labels, in the same phases as DMT.
_base_ = 'dmt_wrn-resnet_1xb32_digits-40.py'
model = dict(peers=dict(_delete_=True, wide=_base_.model.peers.wide))

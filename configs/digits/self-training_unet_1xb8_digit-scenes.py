# One peer, which learns from its own pseudo labels, in the same phases as DMT.
_base_ = 'dmt_unet-resnet_1xb8_digit-scenes.py'
model = dict(peers=dict(_delete_=True, unet=_base_.model.peers.unet))

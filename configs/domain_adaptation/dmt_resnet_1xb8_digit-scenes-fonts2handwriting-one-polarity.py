# Domain adaptation in miniature, with the digits of both domains light on dark: two residual networks.
_base_ = 'dmt_unet-resnet_1xb8_digit-scenes-fonts2handwriting-one-polarity.py'
model = dict(peers=dict(_delete_=True, left=_base_.model.peers.resnet, right=_base_.model.peers.resnet))

# The recipe with a U-Net and a residual network.
_base_ = 'dmt-kit_resnet_1xb8_digit-scenes-fonts2handwriting-one-polarity.py'
model = dict(peers=dict(_delete_=True, unet=_base_.unet, resnet=_base_.resnet))

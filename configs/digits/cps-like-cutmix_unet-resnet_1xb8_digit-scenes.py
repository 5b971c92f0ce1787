# CPS-like (cross pseudo supervision) with CutMix between the pseudo-labeled images.
_base_ = ['cps-like_unet-resnet_1xb8_digit-scenes.py', '../_base_/recipes/cutmix.py']
model = dict(mixes=_base_.cutmix)

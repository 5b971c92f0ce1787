# DMT with strong views and CutMix.
_base_ = ['dmt-strong_unet-resnet_1xb8_digit-scenes.py', '../_base_/recipes/cutmix.py']
model = dict(mixes=_base_.cutmix)

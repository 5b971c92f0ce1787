# DMT with the naive rule of weights.
_base_ = 'dmt_unet-resnet_1xb8_digit-scenes.py'
model = dict(loss=dict(rule='naive'))

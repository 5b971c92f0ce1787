# One peer that learns its own class-balanced pseudo labels by plain cross entropy (CBST).
_base_ = 'self-training_unet_1xb8_digit-scenes.py'
model = dict(loss=dict(gamma_agree=0.0, gamma_disagree=0.0))

# FixMatch-like, for pixels, with the other peer: see fixmatch-like_unet_1xb8_digit-scenes.py.
_base_ = 'fixmatch-like_unet_1xb8_digit-scenes.py'
model = dict(peers=dict(_delete_=True, resnet=_base_.resnet))

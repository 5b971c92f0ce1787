# One peer, which labels the images of each batch itself and learns what it is at least 0.9 sure of, as long as DMT. The
# labels that are made at the phase's start, as in every phase, are not used.
_base_ = 'self-training_unet_1xb8_digit-scenes.py'
model = dict(loss=dict(rule='online', online_threshold=0.9))
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(_base_, iters=5 * 100, ratios=(1.0,))
del custom_hooks[1:]  # no pictures of those labels

# VOC 2012, 1/20: one peer, which labels the images of each batch itself and learns what it is at least 0.9 sure of, as
# long as DMT. The labels that are made at the phase's start, as in every phase, are not used.
_base_ = 'dst_deeplabv2-r101_1xb8_voc12aug-1of20-321x321.py'
model = dict(loss=dict(rule='online', online_threshold=0.9))
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(_base_, iters=5 * 4 * 1436, ratios=(1.0,))

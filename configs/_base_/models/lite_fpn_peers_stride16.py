# The peers of lite_fpn_peers.py for images of less than a hundred pixels: both end at stride 16.
_base_ = 'lite_fpn_peers.py'
maps = dict(in_channels=[64] * 3, in_index=[0, 1, 2])
cut = dict(backbone=dict(out_indices=(1, 2, 3)), neck=dict(in_channels=[24, 40, 112], num_outs=3))
lite0 = dict(cut, decode_head=dict(maps, feature_strides=[4, 8, 16]))
model = dict(peers=dict(lite0=lite0, lite1=dict(cut, decode_head=maps)))

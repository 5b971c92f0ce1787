# The two EfficientNet-Lites of camvid_peers.py for images of less than a hundred pixels: both end at stride 16, with a
# feature pyramid. lite0 adds its maps up (FPNHead), lite1 joins them (the head of SegFormer).
_base_ = 'camvid_peers.py'
neck = dict(type='FPN', in_channels=[24, 40, 112], out_channels=64, start_level=0, num_outs=3)
maps = dict(in_channels=[64] * 3, in_index=[0, 1, 2])
lite1_head = dict(
    maps,
    _delete_=True,
    type='SegformerHead',
    channels=64,
    num_classes=11,
    dropout_ratio=0.1,
    norm_cfg=dict(type='BN'),
    align_corners=False,
    loss_decode=dict(type='CrossEntropyLoss'),
)
model = dict(
    peers=dict(
        lite0=dict(backbone=dict(out_indices=(1, 2, 3)), neck=neck, decode_head=dict(maps, feature_strides=[4, 8, 16])),
        lite1=dict(backbone=dict(out_indices=(1, 2, 3)), neck=neck, decode_head=lite1_head),
    )
)

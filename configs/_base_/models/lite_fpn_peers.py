# The two EfficientNet-Lites of camvid_peers.py with a feature pyramid each. lite0 adds its maps up (FPNHead), lite1
# joins them (the head of SegFormer).
_base_ = 'camvid_peers.py'
lite1_head = dict(
    _delete_=True,
    type='SegformerHead',
    in_channels=[64] * 4,
    in_index=[0, 1, 2, 3],
    channels=64,
    num_classes=11,
    dropout_ratio=0.1,
    norm_cfg=dict(type='BN'),
    align_corners=False,
    loss_decode=dict(type='CrossEntropyLoss'),
)
lite1 = dict(
    backbone=dict(out_indices=(1, 2, 3, 4)),
    neck=dict(type='FPN', in_channels=[24, 40, 112, 320], out_channels=64, start_level=0, num_outs=4),
    decode_head=lite1_head,
)
model = dict(peers=dict(lite1=lite1))

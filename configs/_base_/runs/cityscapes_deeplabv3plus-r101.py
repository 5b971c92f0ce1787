# DeepLabV3+ on a ResNet-101, twice, in crops of 801 or, if a config says so, of 769.
_base_ = ['cityscapes.py', '../models/dmt_deeplabv3plus_r50-d8.py']
side = 801
r101 = dict(
    pretrained='open-mmlab://resnet101_v1c',
    data_preprocessor=dict(size=(side, side)),
    backbone=dict(depth=101),
    decode_head=dict(num_classes=19, align_corners=True),
    auxiliary_head=dict(num_classes=19, align_corners=True),
    test_cfg=dict(mode='slide', crop_size=(side, side), stride=(534, 534)),
)
model = dict(peers=dict(left=r101, right=r101), loss=dict(gamma_agree=3.0, gamma_disagree=3.0))
*before, crop, flip, colors, pack = _base_.train_pipeline
train_pipeline = [*before, dict(crop, crop_size=(side, side)), flip, colors, pack]
train_dataloader = dict(dataset=dict(labeled=dict(pipeline=train_pipeline)))

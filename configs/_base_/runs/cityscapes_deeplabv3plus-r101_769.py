# DeepLabV3+ on a ResNet-101, twice, in crops of 769.
_base_ = 'cityscapes_deeplabv3plus-r101.py'
r101 = dict(
    data_preprocessor=dict(size=(769, 769)),
    test_cfg=dict(crop_size=(769, 769), stride=(513, 513)),
)
model = dict(peers=dict(left=r101, right=r101))
*before, crop, flip, colors, pack = _base_.train_pipeline
train_pipeline = [*before, dict(crop, crop_size=(769, 769)), flip, colors, pack]
train_dataloader = dict(dataset=dict(labeled=dict(pipeline=train_pipeline)))

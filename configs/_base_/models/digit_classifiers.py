# Two small networks of different kinds for digits of 8x8 pixels: a wide and an ordinary residual network.
data_preprocessor = dict(type='ClsDataPreprocessor', mean=[80.0] * 3, std=[80.0] * 3, num_classes=10)
wide = dict(
    type='ImageClassifier',
    data_preprocessor=data_preprocessor,
    backbone=dict(type='mmdmt.WideResNet', depth=10, widen_factor=1),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=10, in_channels=64),
    # Of batches without pseudo labels; `mixes` below mixes the others.
    train_cfg=dict(augments=dict(type='Mixup', alpha=0.75)),
)
plain = dict(
    wide,
    backbone=dict(
        type='ResNet_CIFAR',
        depth=18,
        stem_channels=16,
        base_channels=16,
        num_stages=3,
        strides=(1, 2, 2),
        dilations=(1, 1, 1),
        out_indices=(2,),
    ),
)
model = dict(
    type='mmdmt.DynamicMutualTraining',
    peers=dict(wide=wide, plain=plain),
    loss=dict(type='mmdmt.DynamicMutualLoss', gamma_agree=4.0, gamma_disagree=4.0, ramp=5.0),
    mixes=[dict(type='mmdmt.MixUp', alpha=0.75)],
)

# The paper's network for CIFAR-10, twice: the peers differ in the random numbers they start with, in every phase anew.
wrn = dict(
    type='ImageClassifier',
    data_preprocessor=dict(
        num_classes=10,
        mean=[0.49137 * 255, 0.48235 * 255, 0.44667 * 255],
        std=[0.24706 * 255, 0.24353 * 255, 0.26157 * 255],
        to_rgb=False,  # CIFAR-10 is stored in this order
    ),
    backbone=dict(type='mmdmt.WideResNet', depth=28, widen_factor=2),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead',
        num_classes=10,
        in_channels=128,
        loss=dict(type='CrossEntropyLoss'),
        # Uniform up to 1 / sqrt(128), as torch starts linear layers, but without bias.
        init_cfg=dict(
            type='Kaiming',
            layer='Linear',
            a=5**0.5,
            mode='fan_in',
            nonlinearity='leaky_relu',
            distribution='uniform',
        ),
    ),
    # Of the warm-up: shares are as drawn. In phases `mixes` below keeps the greater share for an image's own label.
    train_cfg=dict(augments=dict(type='Mixup', alpha=0.75)),
)
model = dict(
    type='mmdmt.DynamicMutualTraining',
    peers=dict(left=wrn, right=wrn),
    loss=dict(type='mmdmt.DynamicMutualLoss', gamma_agree=4.0, gamma_disagree=4.0, ramp=5.0),
    mixes=[dict(type='mmdmt.MixUp', alpha=0.75)],
)

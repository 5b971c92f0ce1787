# CIFAR-10: 50 000 images to train on, 10 000 to test on, 10 classes. A config says how many have labels. How to get
# the data, and how these augmentations differ from those of the paper's code: configs/cifar10/README.md.
dataset_type = 'mmdmt.PartlyLabeledCIFAR10'
data_root = 'data/cifar10'
# The sixteen operations of the paper's code. What has no range has no magnitude.
factor = dict(magnitude_range=(-0.9, 0.9), random_negative_prob=0.0)  # 0.1 to 1.9
policies = [
    dict(type='AutoContrast'),
    dict(type='Equalize'),
    dict(type='Invert'),
    dict(type='Rotate', magnitude_range=(0, 30)),  # degrees
    dict(type='Posterize', magnitude_range=(0, 4)),  # bits
    dict(type='Solarize', magnitude_range=(0, 256)),
    dict(type='SolarizeAdd', magnitude_range=(0, 110)),
    dict(type='ColorTransform', **factor),
    dict(type='Contrast', **factor),
    dict(type='Brightness', **factor),
    dict(type='Sharpness', **factor),
    dict(type='Shear', direction='horizontal', magnitude_range=(0, 0.3)),
    dict(type='Shear', direction='vertical', magnitude_range=(0, 0.3)),
    dict(type='Cutout', magnitude_range=(0, 40), pad_val=(125, 123, 114)),  # pixels
    # Up to 100 pixels of the 32: about one image in twelve is moved out of sight.
    dict(type='Translate', direction='horizontal', magnitude_range=(0, 100 / 32)),
    dict(type='Translate', direction='vertical', magnitude_range=(0, 100 / 32)),
]
train_pipeline = [
    dict(type='RandomCrop', crop_size=32, padding=4, pad_val=128),
    dict(type='RandomFlip', prob=0.5),
    dict(
        type='RandAugment',
        policies=policies,
        num_policies=1,
        magnitude_level=10,
        magnitude_std='inf',  # uniform up to that level
        hparams=dict(prob=1.0, pad_val=0, interpolation='nearest'),
    ),
    dict(type='PackInputs'),
]
test_pipeline = [dict(type='PackInputs')]
train_dataloader = dict(
    batch_size=512,  # images of each peer
    num_workers=8,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    batch_sampler=dict(type='mmdmt.MutualBatchSampler'),
    dataset=dict(
        type='mmdmt.MutualDataset',
        labeled=dict(type=dataset_type, data_root=data_root, part='labeled', pipeline=train_pipeline),
        unlabeled=dict(type=dataset_type, data_root=data_root, part='unlabeled'),
    ),
)
# The test set: the last weights are reported, so nothing is selected on it. With part=val it is 20 images of each class
# that no training sees.
val_dataloader = dict(
    batch_size=512,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type=dataset_type, data_root=data_root, part='test', pipeline=test_pipeline),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='mmdmt.PeerMetric', metric=dict(type='Accuracy', topk=(1,)))
test_evaluator = val_evaluator

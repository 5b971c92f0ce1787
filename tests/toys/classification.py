"""Whole runs of classification, on digits, with networks that train in milliseconds."""

from mmengine.config import Config

PACK = [{'type': 'PackInputs'}]
LOSS = {'type': 'mmdmt.DynamicMutualLoss', 'gamma_agree': 4.0, 'gamma_disagree': 4.0, 'ramp': 5.0}
MIXES = [{'type': 'mmdmt.MixUp'}]
AUGMENT = [{'type': 'RandomCrop', 'crop_size': 16, 'padding': 2}]


def toy_classifier(width=4, mean=80.0, classes=10, **settings):
    """Config of a classifier that trains in milliseconds."""
    return {
        'type': 'ImageClassifier',
        'data_preprocessor': {
            'type': 'ClsDataPreprocessor',
            'mean': [mean] * 3,
            'std': [80.0] * 3,
            'num_classes': classes,
        },
        'backbone': {
            'type': 'ResNet_CIFAR',
            'depth': 18,
            'stem_channels': width,
            'base_channels': width,
            'num_stages': 2,
            'strides': (1, 2),
            'dilations': (1, 1),
            'out_indices': (1,),
        },
        'neck': {'type': 'GlobalAveragePooling'},
        'head': {'type': 'LinearClsHead', 'num_classes': classes, 'in_channels': 2 * width},
        **settings,
    }


def digits(part, **settings):
    """Config of a part of the digits."""
    return {'type': 'mmdmt.Digits', 'part': part, **settings}


def image_run_config(work_dir, **settings):
    """Config of a whole run: warm-up and two phases, each from scratch, labeled by averaged weights."""
    config = {
        'default_scope': 'mmpretrain',
        'custom_imports': {'imports': ['mmdmt'], 'allow_failed_imports': False},
        'work_dir': str(work_dir),
        'model': {
            'type': 'mmdmt.DynamicMutualTraining',
            'peers': {'left': toy_classifier(), 'right': toy_classifier(width=6, mean=100.0)},
            'loss': LOSS,
            'mixes': MIXES,
        },
        'train_dataloader': {
            'batch_size': 8,
            'num_workers': 0,
            'persistent_workers': False,  # MMPretrain's script wants them else
            'sampler': {'type': 'InfiniteSampler', 'shuffle': True},
            'batch_sampler': {'type': 'mmdmt.MutualBatchSampler'},
            'dataset': {
                'type': 'mmdmt.MutualDataset',
                'labeled': digits('labeled', pipeline=AUGMENT + PACK),
                'unlabeled': digits('unlabeled', val_per_class=160),
            },
        },
        'train_cfg': {'type': 'IterBasedTrainLoop', 'max_iters': 9, 'val_interval': 3},
        'optim_wrapper': {
            'type': 'OptimWrapper',
            'constructor': 'mmdmt.PeerOptimWrapperConstructor',
            'optimizer': {'type': 'SGD', 'lr': 0.1, 'momentum': 0.9, 'weight_decay': 5e-4},
        },
        'param_scheduler': [{'type': 'CosineAnnealingLR', 'by_epoch': False, 'T_max': 100000}],
        'custom_hooks': [
            {
                'type': 'mmdmt.DMTHook',
                'phases': [
                    {'iters': 3, 'labeled': 8},
                    {'iters': 3, 'labeled': 2, 'pseudo': 6, 'label_ratio': 0.5},
                    {'iters': 3, 'labeled': 2, 'pseudo': 6, 'label_ratio': 1.0},
                ],
                'carry': 'scratch',
                'labeling': {'num_workers': 0, 'batch_size': 32},
            },
            {'type': 'EMAHook', 'momentum': 0.1},
        ],
        'val_dataloader': {
            'batch_size': 50,
            'num_workers': 0,
            'persistent_workers': False,  # MMPretrain's script wants them else
            'sampler': {'type': 'DefaultSampler', 'shuffle': False},
            'dataset': digits('val', val_per_class=5, pipeline=PACK, test_mode=True),
        },
        'val_cfg': {'type': 'ValLoop'},
        'val_evaluator': {'type': 'mmdmt.PeerMetric', 'metric': {'type': 'Accuracy'}},
        'default_hooks': {
            'timer': {'type': 'IterTimerHook'},
            'logger': {'type': 'LoggerHook', 'interval': 1, 'log_metric_by_epoch': False},
            'param_scheduler': {'type': 'ParamSchedulerHook'},
            'checkpoint': {'type': 'CheckpointHook', 'by_epoch': False, 'interval': 1},
        },
        'env_cfg': {'cudnn_benchmark': False, 'mp_cfg': {'mp_start_method': 'fork'}, 'dist_cfg': {'backend': 'gloo'}},
        'log_processor': {'by_epoch': False, 'window_size': 1},
        'randomness': {'seed': 0},
        'experiment_name': work_dir.name,
    }
    config['test_dataloader'], config['test_evaluator'] = config['val_dataloader'], config['val_evaluator']
    config['test_cfg'] = {'type': 'TestLoop'}
    config = Config(config)
    config.merge_from_dict(settings)
    return config

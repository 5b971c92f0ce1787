"""Whole runs of segmentation: a small folder of real files, toy networks, and the config of a run on them."""

from pathlib import Path

import cv2
import numpy as np
from mmengine.config import Config, ConfigDict

CLASSES = ('ground', 'square', 'disc')


def draw(generator, height, width):
    """Draw a square and a disc: an image and its mask."""
    image = generator.integers(0, 60, (height, width, 3)).astype(np.uint8)
    mask = np.zeros((height, width), np.uint8)
    for label, paint in ((1, cv2.rectangle), (2, cv2.circle)):
        x, y = (int(generator.integers(8, side - 8)) for side in (width, height))
        shape = ((x - 7, y - 7), (x + 7, y + 7)) if label == 1 else ((x, y), 7)
        color = (200, 80, 80) if label == 1 else (80, 200, 80)
        paint(image, *shape, color, -1)
        paint(mask, *shape, label, -1)
    return image, mask


def write_shapes(root):
    """Write a data set as a user has it: images, masks of some of them, and lists."""
    generator = np.random.default_rng(0)
    lists = {'labeled': 6, 'unlabeled': 10, 'val': 4}
    for folder in ('images', 'masks'):
        (root / folder).mkdir()
    number = 0
    for name, count in lists.items():
        names = []
        for _ in range(count):
            names.append(f'{number:03d}')
            height, width = (36, 48) if number % 2 else (40, 44)
            image, mask = draw(generator, height, width)
            cv2.imwrite(str(root / 'images' / f'{names[-1]}.png'), image)
            if name != 'unlabeled':
                cv2.imwrite(str(root / 'masks' / f'{names[-1]}.png'), mask)
            number += 1
        (root / f'{name}.txt').write_text('\n'.join(names) + '\n')
    return root


def mask_unlabeled(root):
    """Give every unlabeled image of the shapes a mask, found by its colors."""
    for name in (root / 'unlabeled.txt').read_text().split():
        image = cv2.imread(str(root / 'images' / f'{name}.png'))
        mask = sum(label * (image == color).all(axis=2) for label, color in ((1, (200, 80, 80)), (2, (80, 200, 80))))
        cv2.imwrite(str(root / 'masks' / f'{name}.png'), mask.astype(np.uint8))
    return root


def shapes(root, ann_file, **settings):
    """Config of one part of the shapes data set."""
    prefix = (
        {'img_path': 'images'} if ann_file.startswith('unlabeled') else {'img_path': 'images', 'seg_map_path': 'masks'}
    )
    return {
        'type': 'BaseSegDataset',
        'data_root': str(root),
        'ann_file': ann_file,
        'data_prefix': prefix,
        'img_suffix': '.png',
        'metainfo': {'classes': CLASSES, 'palette': [[0, 0, 0], [255, 0, 0], [0, 255, 0]]},
        **settings,
    }


TRAIN_PIPELINE = [
    {'type': 'LoadImageFromFile'},
    {'type': 'LoadAnnotations'},
    {'type': 'RandomResize', 'scale': (48, 40), 'ratio_range': (0.8, 1.2), 'keep_ratio': True},
    {'type': 'RandomCrop', 'crop_size': (32, 32)},
    {'type': 'RandomFlip', 'prob': 0.5},
    {'type': 'PhotoMetricDistortion'},
    {'type': 'PackSegInputs'},
]
VAL_PIPELINE = [{'type': 'LoadImageFromFile'}, {'type': 'LoadAnnotations'}, {'type': 'PackSegInputs'}]


def mutual_dataset(root, **settings):
    """Config of the labeled and the unlabeled part as peers see them."""
    return {
        'type': 'mmdmt.MutualDataset',
        'labeled': shapes(root, 'labeled.txt', pipeline=TRAIN_PIPELINE),
        'unlabeled': shapes(root, 'unlabeled.txt'),
        **settings,
    }


def toy_segmentor(width=4, mean=127.5, num_classes=3, dropout=0.1, norm=None, **head):
    """Config of a network that trains in milliseconds, with an auxiliary head."""
    norm = norm or {'type': 'BN'}
    fcn = {
        'type': 'FCNHead',
        'channels': 8,
        'num_convs': 1,
        'concat_input': False,
        'dropout_ratio': dropout,
        'num_classes': num_classes,
        'norm_cfg': norm,
        'align_corners': False,
        'loss_decode': {'type': 'CrossEntropyLoss'},
    }
    return {
        'type': 'EncoderDecoder',
        'data_preprocessor': {
            'type': 'SegDataPreProcessor',
            'mean': [mean] * 3,
            'std': [64.0] * 3,
            'size': (32, 32),
            'pad_val': 0,
            'seg_pad_val': 255,
        },
        'backbone': {
            'type': 'ResNet',
            'depth': 18,
            'stem_channels': width,
            'base_channels': width,
            'num_stages': 2,
            'strides': (1, 1),
            'dilations': (1, 2),
            'out_indices': (0, 1),
            'norm_cfg': norm,
        },
        'decode_head': {**fcn, 'in_channels': 2 * width, 'in_index': 1, **head},
        'auxiliary_head': {
            **fcn,
            'in_channels': width,
            'in_index': 0,
            'loss_decode': {'type': 'CrossEntropyLoss', 'loss_weight': 0.4},
        },
        'train_cfg': {},
        'test_cfg': ConfigDict(mode='whole'),  # MMSegmentation asks for test_cfg.mode
    }


def run_config(root: Path, work_dir: Path, **settings) -> Config:
    """Config of a whole run on the shapes: warm-up and two phases of a few iterations."""
    config = {
        'default_scope': 'mmseg',
        'work_dir': str(work_dir),
        'model': {
            'type': 'mmdmt.DynamicMutualTraining',
            'peers': {'left': toy_segmentor(), 'right': toy_segmentor(width=6, mean=100.0)},
            'loss': {'type': 'mmdmt.DynamicMutualLoss', 'gamma_agree': 5.0, 'gamma_disagree': 5.0},
        },
        'train_dataloader': {
            'batch_size': 4,
            'num_workers': 0,
            'sampler': {'type': 'InfiniteSampler', 'shuffle': True},
            'batch_sampler': {'type': 'mmdmt.MutualBatchSampler'},
            'dataset': mutual_dataset(root),
        },
        'train_cfg': {'type': 'IterBasedTrainLoop', 'max_iters': 9, 'val_interval': 3},
        'optim_wrapper': {
            'type': 'OptimWrapper',
            'constructor': 'mmdmt.PeerOptimWrapperConstructor',
            'optimizer': {'type': 'SGD', 'lr': 0.01, 'momentum': 0.9, 'weight_decay': 5e-4},
        },
        'param_scheduler': [{'type': 'PolyLR', 'power': 0.9, 'by_epoch': False}],
        'custom_hooks': [
            {
                'type': 'mmdmt.DMTHook',
                'phases': [
                    {'iters': 3, 'labeled': 4},
                    {'iters': 3, 'labeled': 1, 'pseudo': 3, 'label_ratio': 0.5},
                    {'iters': 3, 'labeled': 1, 'pseudo': 3, 'label_ratio': 1.0},
                ],
                'labeling': {'num_workers': 0},
            }
        ],
        'val_dataloader': {
            'batch_size': 1,
            'num_workers': 0,
            'sampler': {'type': 'DefaultSampler', 'shuffle': False},
            'dataset': shapes(root, 'val.txt', pipeline=VAL_PIPELINE),
        },
        'val_cfg': {'type': 'ValLoop'},
        'val_evaluator': {'type': 'mmdmt.PeerMetric', 'metric': {'type': 'IoUMetric', 'iou_metrics': ['mIoU']}},
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
    config = Config(config)
    config.merge_from_dict(settings)
    return config

"""A run learns, labels and validates the same whatever label stands for void, if all places ignore it."""

import shutil

import cv2
import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from toys.segmentation import TRAIN_PIPELINE, run_config
from toys.told import scalars_of

pytestmark = [pytest.mark.whole_run, pytest.mark.usefixtures('mmseg_scope')]

PHASES = [
    {'iters': 1, 'labeled': 4},
    {'iters': 1, 'labeled': 1, 'pseudo': 3, 'label_ratio': 0.5},
    {'iters': 1, 'labeled': 1, 'pseudo': 3, 'online': {}},
]
DATA = 'train_dataloader.dataset.'


def void_rows(folder, ignored):
    """Void the upper rows of all masks, those of unlabeled images included, which the quality report compares."""
    for number in range(20):
        path = folder / 'masks' / f'{number:03d}.png'
        image = cv2.imread(str(folder / 'images' / path.name))
        mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if path.is_file() else np.ones(image.shape[:2], np.uint8)
        mask[:8] = ignored
        cv2.imwrite(str(path), mask)


def trained(shapes_folder, tmp_path, ignored):
    data = shutil.copytree(shapes_folder, tmp_path / f'data{ignored}')
    void_rows(data, ignored)
    rotate = {'type': 'RandomRotate', 'prob': 1.0, 'degree': 20, 'seg_pad_val': ignored}
    places = [f'{DATA}labeled', f'{DATA}unlabeled', 'val_dataloader.dataset']
    settings = {
        'custom_hooks.0.phases': PHASES,
        'train_cfg.max_iters': 3,
        'train_cfg.val_interval': 3,
        f'{DATA}labeled.pipeline': [*TRAIN_PIPELINE[:-2], rotate, TRAIN_PIPELINE[-1]],
        f'{DATA}unlabeled.data_prefix': {'img_path': 'images', 'seg_map_path': 'masks'},
        'val_evaluator.metric.ignore_index': ignored,
        'default_hooks.visualization': {'type': 'SegVisualizationHook'},
        'visualizer': {
            'type': 'SegLocalVisualizer',
            'name': f'v{ignored}',
            'vis_backends': [{'type': 'LocalVisBackend'}],
        },
        **{f'{place}.ignore_index': ignored for place in places},
    }
    for name in ('left', 'right'):
        settings[f'model.peers.{name}.data_preprocessor.seg_pad_val'] = ignored
        for head in ('decode_head', 'auxiliary_head'):
            settings[f'model.peers.{name}.{head}.ignore_index'] = ignored
    runner = Runner.from_cfg(run_config(data, tmp_path / f'run{ignored}', **settings))
    runner.train()
    dataset = runner.train_dataloader.dataset  # as tools see it, image by image
    assert dataset[len(dataset) - 1]['data_samples'].gt_sem_seg.data.unique().tolist() == [ignored]
    told = {}
    for entry in scalars_of(tmp_path / f'run{ignored}'):
        told.update({key: value for key, value in entry.items() if '/' in key and 'seconds' not in key})
    return runner.model.state_dict(), told


def test_void_may_be_any_label(shapes_folder, tmp_path):
    weights, told = trained(shapes_folder, tmp_path, 255)
    assert {'ensemble/mIoU', 'pseudo/left/precision'} <= told.keys(), sorted(told)
    for ignored in (3, 254):
        others, others_told = trained(shapes_folder, tmp_path, ignored)
        assert all(torch.equal(weights[key], others[key]) for key in weights)
        assert others_told == told


def test_background_may_be_void(shapes_folder, tmp_path):
    weights, told = trained(shapes_folder, tmp_path, 0)
    assert all(torch.isfinite(value).all() for value in weights.values() if value.is_floating_point())
    assert 'pseudo/left/precision/ground' not in told

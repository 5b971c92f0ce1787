"""Cityscapes to ACDC and to Dark Zurich: what the configs read, and what goes to the test server."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS
from mmengine.runner import Runner
from PIL import Image
from toys.adverse_conditions import CONDITIONS, SIZE, make_adverse_conditions, small_pair

FOLDER = Path(__file__).parents[2] / 'configs' / 'domain_adaptation'
NAME = '{}_segformer-b2_upernet-convnext-t_1xb8_cityscapes2{}-512x512.py'
TARGETS = {'acdc': (4, 4, 4), 'dark-zurich': (3, 1, 1)}  # images to train, validate and test on

pytestmark = pytest.mark.usefixtures('mmseg_scope')

each_target = pytest.mark.parametrize('target', TARGETS)


@pytest.fixture
def load(tmp_path, monkeypatch):
    make_adverse_conditions(tmp_path)
    monkeypatch.chdir(tmp_path)
    return lambda method, target: Config.fromfile(FOLDER / NAME.format(method, target))


@each_target
def test_labels_are_of_clear_days_and_none_of_the_target(load, target):
    config = load('dmt', target)
    dataset = DATASETS.build(config.train_dataloader.dataset)
    assert (len(dataset.labeled), dataset.num_unlabeled()) == (4, TARGETS[target][0])
    info = dataset.unlabeled.get_data_info(0)
    assert 'seg_map_path' not in info
    assert '/cityscapes/' in dataset.labeled.get_data_info(0)['img_path']
    assert tuple(dataset.labeling_item(0)['inputs'].shape) == (3, 540, 960)
    assert len(dataset.metainfo['classes']) == 19


def test_of_acdc_every_condition_is_learned_from(load):
    dataset = DATASETS.build(load('dmt', 'acdc').train_dataloader.dataset).unlabeled
    paths = [dataset.get_data_info(number)['img_path'] for number in range(4)]
    assert [path.split('/')[-4] for path in paths] == list(CONDITIONS)
    assert all('/train/' in path for path in paths)


def test_of_dark_zurich_the_nights_are_learned_from(load):
    dataset = DATASETS.build(load('dmt', 'dark-zurich').train_dataloader.dataset).unlabeled
    assert all('/train/night/' in dataset.get_data_info(number)['img_path'] for number in range(3))


@each_target
def test_predictions_are_compared_with_ground_truth_as_published(load, target):
    dataset = DATASETS.build(load('dmt', target).val_dataloader.dataset)
    assert len(dataset) == TARGETS[target][1]
    sample = dataset[0]['data_samples']
    mask = np.asarray(Image.open(sample.seg_map_path))
    assert sample.ori_shape == sample.gt_sem_seg.shape == mask.shape == SIZE
    assert np.array_equal(sample.gt_sem_seg.data[0], mask)
    assert sample.img_shape == (540, 960)


@each_target
def test_the_test_set_needs_no_masks(load, target):
    config = load('dmt', target)
    dataset = DATASETS.build(config.test_dataloader.dataset)
    assert len(dataset) == TARGETS[target][2]
    assert '/test/' in dataset[0]['data_samples'].img_path
    assert config.test_evaluator.metric.format_only


@pytest.mark.whole_run
def test_a_run_ends_with_masks_of_each_peer_for_the_test_server(load, tmp_path):
    config = small_pair(load('dmt', 'dark-zurich'), tmp_path)
    config.custom_hooks[0].update(warm_up=1, iters=1, ratios=[0.1], labeled=1, pseudo=1, labeling=dict(num_workers=0))
    config.train_cfg.val_interval = 2
    runner = Runner.from_cfg(config)
    runner.train()
    runner.test()
    written = sorted(str(file.relative_to(tmp_path)) for file in (tmp_path / 'dark_zurich_test').rglob('*.png'))
    name = 'GOPR0364_frame_000000_rgb_anon.png'
    assert written == [f'dark_zurich_test/{peer}/{name}' for peer in ('convnext', 'ensemble', 'segformer')]
    mask = np.asarray(Image.open(tmp_path / written[1]))
    assert mask.shape == SIZE
    assert mask.max() < 19

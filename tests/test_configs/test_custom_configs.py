"""The configs for own data show images to the networks at one scale, whatever they are used for."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config

from mmdmt.labels.manifest import Manifest
from mmdmt.labels.pixels.bank import BankWriter
from mmdmt.method.draws import Draw
from mmdmt.preparation.data_check import check_data
from mmdmt.registry import DATASETS

FOLDER = Path(__file__).parents[2] / 'configs' / 'custom'
SIDES = {'dmt_custom': 512, 'dmt_custom_cpu': 192}

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@pytest.fixture
def photographs(tmp_path, monkeypatch):
    """Photographs of 1080 rows, and of 1200 columns on end, with masks that hold both classes."""
    folder = tmp_path / 'data' / 'mine'
    for name in ('images', 'masks'):
        (folder / name).mkdir(parents=True)
    generator = np.random.default_rng(0)
    for number, name in enumerate(('labeled', 'unlabeled', 'val')):
        names = [f'{number}{copy}' for copy in range(2)]
        for copy, one in enumerate(names):
            shape = (1080, 1440) if copy else (1600, 1200)
            small = generator.integers(0, 256, (12, 12, 3)).astype(np.uint8)
            cv2.imwrite(str(folder / 'images' / f'{one}.png'), cv2.resize(small, shape[::-1]))
            mask = np.zeros(shape, np.uint8)
            mask[: shape[0] // 2] = 1
            cv2.imwrite(str(folder / 'masks' / f'{one}.png'), mask)
        (folder / f'{name}.txt').write_text('\n'.join(names))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(('name', 'side'), SIDES.items())
def test_images_are_trained_labeled_and_validated_at_one_scale(photographs, name, side):
    config = Config.fromfile(FOLDER / f'{name}.py')
    dataset = DATASETS.build(config.train_dataloader.dataset)
    labeled = [dataset.labeling_item(number)['inputs'].shape[1:] for number in range(2)]
    assert [min(shape) for shape in labeled] == [side, side]

    validation = DATASETS.build(config.val_dataloader.dataset)
    for item, size in zip(validation, [(1600, 1200), (1080, 1440)], strict=True):
        assert min(item['inputs'].shape[1:]) == side
        # Scored at the size of the file.
        assert item['data_samples'].ori_shape == size
        assert item['data_samples'].gt_sem_seg.shape == size

    assert not [warning for warning in check_data(config).warnings if 'resized' in warning]


@pytest.mark.parametrize('name', SIDES)
def test_a_crop_of_a_pseudo_labeled_image_has_its_label(photographs, name, tmp_path):
    dataset = DATASETS.build(Config.fromfile(FOLDER / f'{name}.py').train_dataloader.dataset)
    shapes = [dataset.labeling_item(number)['inputs'].shape[1:] for number in range(2)]
    with BankWriter(tmp_path / 'bank') as writer:
        for number, shape in enumerate(shapes):
            writer.write(number, np.ones(shape, np.uint8), np.full(shape, 0.75, np.float32))
    settings = dict(run='', phase=1, peer='left', weights='', images=2, names='', label_ratio=1.0, shards=1)
    Manifest(**settings, thresholds=(0.0, 0.0), totals=(0, 1), kept=(0, 1)).write(tmp_path / 'bank')
    sample = dataset[Draw(image=1, seed=3, peer='left', bank=str(tmp_path / 'bank'))]
    assert sample['data_samples'].gt_sem_seg.shape == sample['inputs'].shape[1:]
    assert sample['data_samples'].gt_sem_seg.data.unique().tolist() == [1]
    assert sample['data_samples'].pseudo_confidence.data.min() > 0.74


def test_both_files_are_one_but_for_networks_sizes_and_length():
    large, small = ((FOLDER / f'{name}.py').read_text().splitlines()[1:] for name in SIDES)
    said = re.compile(r'512|192|2048|768|num_workers=\d|_base_/(models|schedules)/[\w-]+')
    end = next(number for number, line in enumerate(large) if line.startswith('peer = '))
    assert end > 40
    for one, other in zip(large[:end], small[:end], strict=True):
        assert said.sub('', one) == said.sub('', other)


def labeled_at_full_size(config):
    """Train at a shorter side of 512, label and validate the files as they are, as the first version did."""
    train = config.train_dataloader.dataset
    load = train.labeled.pipeline[:2]
    resize = dict(type='RandomResize', scale=(2048, 512), ratio_range=(0.5, 1.5), keep_ratio=True)
    train.labeled.pipeline = [*load, resize, dict(type='RandomCrop', crop_size=(512, 512)), dict(type='PackSegInputs')]
    train.unlabeled.pop('pipeline')
    config.val_dataloader.dataset.pipeline = [*load, dict(type='PackSegInputs')]
    config.test_dataloader = config.val_dataloader


def test_scales_that_differ_by_more_than_half_are_warned_of(photographs):
    config = Config.fromfile(FOLDER / 'dmt_custom.py')
    labeled_at_full_size(config)
    (warning,) = (warning for warning in check_data(config).warnings if 'resized' in warning)
    assert re.search(r'training 0\.4\d \(shorter side [45]\d\d\)', warning)
    assert 'labeling 1 (shorter side 1140)' in warning
    assert 'val 1 (shorter side 1140)' in warning
    assert 'before LoadPseudoLabel' in warning

    # Where nothing is resized at all, nothing differs.
    config.train_dataloader.dataset.labeled.pipeline.pop(2)
    assert not [warning for warning in check_data(config).warnings if 'resized' in warning]


def test_views_of_the_learner_stand_beside_a_pipeline_for_unlabeled_images(photographs):
    views = [dict(type='PhotoMetricDistortion')]
    config = Config.fromfile(FOLDER / 'dmt_custom.py').train_dataloader.dataset
    steps = DATASETS.build({**config, 'learner_view': views}).unlabeled.pipeline.transforms
    assert [type(step).__name__ for step in steps[-2:]] == ['TwoViews', 'PackPseudoLabel']
    config.unlabeled.pipeline.insert(-1, dict(type='mmdmt.TwoViews', learner=views))
    with pytest.raises(ValueError, match='has TwoViews 2 times, not once'):
        DATASETS.build({**config, 'learner_view': views})

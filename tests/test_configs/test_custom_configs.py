"""The configs for own data train on any number of classes, and show images at one scale, whatever for."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.runner import Runner

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
def test_images_are_trained_labeled_and_validated_at_one_scale(photographs, name, side, tmp_path):
    config = Config.fromfile(FOLDER / f'{name}.py')
    dataset = DATASETS.build(config.train_dataloader.dataset)
    labeled = [dataset.labeling_item(number)['inputs'].shape[1:] for number in range(2)]
    assert [min(shape) for shape in labeled] == [side, side]
    validation = DATASETS.build(config.val_dataloader.dataset)
    for item, size in zip(validation, [(1600, 1200), (1080, 1440)], strict=True):
        assert min(item['inputs'].shape[1:]) == side
        # Scored at the size of the file.
        assert item['data_samples'].ori_shape == item['data_samples'].gt_sem_seg.shape == size
    # A crop of a pseudo-labeled image has its label.
    with BankWriter(tmp_path / 'bank') as writer:
        for number, shape in enumerate(labeled):
            writer.write(number, np.ones(shape, np.uint8), np.full(shape, 0.75, np.float32))
    settings = dict(run='', phase=1, peer='left', weights='', images=2, names='', label_ratio=1.0, shards=1)
    Manifest(**settings, thresholds=(0.0, 0.0), totals=(0, 1), kept=(0, 1)).write(tmp_path / 'bank')
    sample = dataset[Draw(image=1, seed=3, peer='left', bank=str(tmp_path / 'bank'))]
    assert sample['data_samples'].gt_sem_seg.shape == sample['inputs'].shape[1:]
    assert sample['data_samples'].gt_sem_seg.data.unique().tolist() == [1]
    assert sample['data_samples'].pseudo_confidence.data.min() > 0.74


def mine(tmp_path, name, number):
    """A template as a user edits it, for a number of classes, and data of it: one warm-up iteration, and one phase."""
    generator = np.random.default_rng(0)
    folder = tmp_path / 'data' / 'mine'
    for part in ('images', 'masks'):
        (folder / part).mkdir(parents=True)
    for part in ('labeled', 'unlabeled', 'val'):
        names = [f'{part}_{copy}' for copy in range(2)]
        (folder / f'{part}.txt').write_text('\n'.join(names))
        for one in names:
            cv2.imwrite(str(folder / 'images' / f'{one}.png'), generator.integers(0, 256, (48, 64, 3)).astype(np.uint8))
            if part != 'unlabeled':
                mask = generator.permutation(np.arange(48 * 64) % number).reshape(48, 64)
                cv2.imwrite(str(folder / 'masks' / f'{one}.png'), mask.astype(np.uint8))
    side = SIDES[name]
    edits = {
        "'../_base_": f"'{FOLDER.parent}/_base_",
        "('background', 'polyp')": repr(tuple(f'class{label}' for label in range(number))),
        '[[0, 0, 0], [255, 0, 0]]': repr([[label, 0, 0] for label in range(number)]),
        f'({4 * side}, {side})': '(64, 48)',
        f'({side}, {side})': '(32, 32)',
        'batch_size=8': 'batch_size=4',
        f'num_workers={1 if "cpu" in name else 4}': 'num_workers=0',
    }
    text = (FOLDER / f'{name}.py').read_text()
    for old, new in edits.items():
        assert old in text
        text = text.replace(old, new)
    (tmp_path / 'mine.py').write_text(text)
    config = Config.fromfile(tmp_path / 'mine.py')
    for peer in config.model.peers.values():
        if 'pretrained' in peer:  # weights to download, of a network too large for a test
            peer.pretrained = None
            peer.backbone.update(depth=18, base_channels=4, stem_channels=4)
            peer.decode_head.update(in_channels=32, c1_in_channels=4, channels=8)
            peer.auxiliary_head.in_channels = 16
        peer.backbone.init_cfg = None
    lengths = dict(warm_up=1, iters=1, ratios=[0.5], labeled=2, pseudo=2)
    config.custom_hooks[0].update(lengths, labeling=dict(num_workers=0))
    config.train_cfg.val_interval = 2
    for stage in ('train', 'val', 'test'):
        config[f'{stage}_dataloader'].persistent_workers = False
    config.work_dir = str(tmp_path / 'work')
    config.experiment_name = f'{name}_{number}'
    return config


@pytest.mark.whole_run
@pytest.mark.parametrize('number', [2, 7, 11])
@pytest.mark.parametrize('name', sorted(path.stem for path in FOLDER.glob('dmt_custom*.py')))
def test_every_template_trains_whatever_the_number_of_classes(tmp_path, monkeypatch, name, number):
    pytest.importorskip('timm')
    monkeypatch.chdir(tmp_path)
    config = mine(tmp_path, name, number)
    assert check_data(config, workers=1).problems == []
    runner = Runner.from_cfg(config)
    runner.train()
    assert runner.model.num_classes == number
    scalars = runner.message_hub.log_scalars
    for peer in config.model.peers:
        assert {loss.class_weight for loss in runner.model.losses_of(peer)} == {None}
        warm_up, pseudo = scalars[f'train/{peer}.decode.loss_dmt'].data[0]
        # Warm-up is plain cross entropy, about that of chance.
        assert 0 < warm_up < 4 * np.log(number)
        assert np.isfinite(pseudo)
        assert len(scalars[f'train/{peer}.mean_weight'].data[0]) == 1
    assert 'val/ensemble/mIoU' in scalars


@pytest.mark.parametrize('name', SIDES)
def test_what_training_refuses_is_a_problem_of_the_data_check(tmp_path, monkeypatch, name):
    pytest.importorskip('timm')
    monkeypatch.chdir(tmp_path)
    config = mine(tmp_path, name, 7)
    config.model.loss.class_weight = [1.0] * 11
    (problem,) = check_data(config, workers=1).problems
    assert re.match(r'Training would refuse model: .*decode_head .* of peer .* has 11 entries, but 7 classes', problem)
    with pytest.raises(ValueError, match=r'class_weight=\[1\.0, .* has 11 entries, but 7 classes are predicted: give'):
        Runner.from_cfg(config)

    config.model.loss.class_weight = None
    dataset = config.train_dataloader.dataset
    dataset.unlabelled = dataset.pop('unlabeled')
    (problem,) = check_data(config, workers=1).problems
    assert "unexpected keyword argument 'unlabelled'" in problem


def test_views_of_the_learner_stand_beside_a_pipeline_for_unlabeled_images(photographs):
    views = [dict(type='PhotoMetricDistortion')]
    config = Config.fromfile(FOLDER / 'dmt_custom.py').train_dataloader.dataset
    steps = DATASETS.build({**config, 'learner_view': views}).unlabeled.pipeline.transforms
    assert [type(step).__name__ for step in steps[-2:]] == ['TwoViews', 'PackPseudoLabel']
    config.unlabeled.pipeline.insert(-1, dict(type='mmdmt.TwoViews', learner=views))
    with pytest.raises(ValueError, match='has TwoViews 2 times, not once'):
        DATASETS.build({**config, 'learner_view': views})

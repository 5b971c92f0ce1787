"""The configs of CIFAR-10: the paper's numbers, what their pipelines yield, and whole runs on a tiny archive."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from mmcv.transforms import Compose
from mmengine.config import Config, DictAction
from mmengine.registry import DATASETS, DefaultScope, init_default_scope
from mmpretrain.datasets.transforms import PackInputs, RandAugment
from toys.cifar10 import FILES, write_archive
from toys.forked import python

from mmdmt.method.draws import Draw
from mmdmt.registry import HOOKS
from mmdmt.scripts import toolbox_script

ROOT = Path(__file__).parents[2]
RATIOS = [0.2, 0.4, 0.6, 0.8, 1.0]
README = (ROOT / 'configs' / 'cifar10' / 'README.md').read_text()


def path_of(method):
    return ROOT / 'configs' / 'cifar10' / f'{method}_wrn28-2_1xb512_cifar10-4000.py'


def load(method):
    return Config.fromfile(path_of(method))


@pytest.fixture
def mmpretrain_scope():
    init_default_scope('mmpretrain')
    yield
    DefaultScope._instance_dict.clear()


def on_tiny(config, root, labels_per_class=2):
    """Make a config read the tiny archive."""
    config = config.copy()
    tiny = {'type': 'mmdmt.TinyCIFAR10', 'data_root': str(root), 'val_per_class': 1}
    dataset = config.train_dataloader.dataset
    for part in (dataset.labeled, dataset.unlabeled):
        part.update(tiny, labels_per_class=labels_per_class)
    config.val_dataloader.dataset.update(tiny)
    return config


@pytest.fixture(scope='module')
def archive(tmp_path_factory):
    return write_archive(tmp_path_factory.mktemp('cifar10'))


@pytest.mark.parametrize('labels', [4000, 1000, 250, 40])
def test_phases_are_as_long_as_the_epochs_of_the_paper(labels):
    """Of other counts of labels the README says the options."""
    config = load('dmt')
    if labels < 4000:
        (options,) = re.findall(rf'^\| {labels} \| `(.+)` \|$', README, re.MULTILINE)
        pairs = (option.split('=') for option in options.split())
        config.merge_from_dict({key: DictAction._parse_iterable(value) for key, value in pairs})
    dataset = config.train_dataloader.dataset
    assert dataset.labeled.labels_per_class == dataset.unlabeled.labels_per_class == labels // 10
    assert (dataset.labeled.part, dataset.unlabeled.part) == ('labeled', 'unlabeled')
    averaging, mutual = config.custom_hooks
    warm_up, *phases = HOOKS.build(mutual).curriculum.phases
    assert (warm_up.iters, warm_up.labeled, warm_up.pseudo) == (2120 * math.ceil(labels / 512), 512, 0)
    unlabeled = 50_000 - 10 * 20 - labels
    assert [phase.label_ratio for phase in phases] == RATIOS
    assert [phase.iters for phase in phases] == [750 * math.ceil(int(unlabeled * ratio) / 496) for ratio in RATIOS]
    assert {(phase.labeled, phase.pseudo, phase.lr_factor) for phase in phases} == {(16, 496, 0.5)}
    assert config.train_dataloader.batch_size == 512
    assert mutual.carry == 'scratch'
    assert averaging == {'type': 'mmengine.EMAHook', 'momentum': 0.001}


@pytest.mark.parametrize('method', ['dmt', 'dmt-one-peer', 'supervised'])
def test_networks_loss_and_optimization_are_those_of_the_paper(method):
    whole, config = load('dmt'), load(method)
    assert config.optim_wrapper.optimizer == {'type': 'SGD', 'lr': 0.2, 'momentum': 0.9, 'weight_decay': 5e-4}
    (cosine,) = config.param_scheduler
    assert (cosine.type, cosine.eta_min, cosine.by_epoch) == ('CosineAnnealingLR', 0.0, False)
    peer, given = config.model.peers.left, config.model.peers.left.data_preprocessor
    assert peer.backbone == {'type': 'mmdmt.WideResNet', 'depth': 28, 'widen_factor': 2}
    assert given.mean == pytest.approx([125.29935, 122.99925, 113.90085])
    assert given.std == pytest.approx([63.0003, 62.10015, 66.70035])
    assert peer.train_cfg == {'augments': {'type': 'Mixup', 'alpha': 0.75}}
    loss = {'type': 'mmdmt.DynamicMutualLoss', 'gamma_agree': 4.0, 'gamma_disagree': 4.0, 'ramp': 5.0}
    assert (config.model.loss, config.model.mixes) == (loss, [{'type': 'mmdmt.MixUp', 'alpha': 0.75}])
    assert set(config.model.peers) == ({'left'} if method == 'dmt-one-peer' else {'left', 'right'})
    if method == 'dmt-one-peer':  # as the scripts of the paper
        assert config.model.peers == {'left': whole.model.peers.left}
        assert all(config[key] == whole[key] for key in whole if key != 'model')


def test_data_load_are_labeled_as_they_are_and_validated_on_the_test_set(mmpretrain_scope, archive):
    config = on_tiny(load('dmt'), archive)
    dataset = DATASETS.build(config.train_dataloader.dataset)
    assert (len(dataset.labeled), dataset.num_unlabeled()) == (20, 70)
    assert config.val_dataloader.dataset.part == config.test_dataloader.dataset.part == 'test'
    val = DATASETS.build(config.val_dataloader.dataset)
    for item, name in ((dataset[Draw('left', 0, 7, None)], 'train'), (val[0], 'test')):
        assert item['data_samples'].img_path.startswith(f'cifar-10/{name}/')
    item = dataset.labeling_item(3)
    assert np.array_equal(item['inputs'].permute(1, 2, 0), dataset.unlabeled.get_data_info(3)['img'])
    assert 'gt_label' not in item['data_samples']
    items = [dataset[Draw('left', number % 20, number, None)]['inputs'] for number in range(200)]
    assert {(tuple(item.shape), str(item.dtype)) for item in [*items, val[0]['inputs']]} == {
        ((3, 32, 32), 'torch.uint8')
    }
    assert isinstance(dataset.unlabeled.pipeline.transforms[-1], PackInputs)
    config.train_dataloader.dataset.labeled.seed = 2
    with pytest.raises(ValueError, match='images are both in the labeled and in the unlabeled dataset'):
        DATASETS.build(config.train_dataloader.dataset)


def test_training_images_are_padded_by_four_gray_pixels_cropped_flipped(mmpretrain_scope):
    pipeline = Config.fromfile(path_of('dmt')).train_pipeline
    without_random_operations = [step for step in pipeline if step['type'] != 'RandAugment']
    columns = np.broadcast_to(np.arange(32, dtype=np.uint8)[None, :, None], (32, 32, 3))
    transform = Compose(without_random_operations)
    seen = set()
    for seed in range(300):
        np.random.seed(seed)
        row = transform({'img': columns.copy(), 'gt_label': 0})['inputs'][0, 16].tolist()
        kept = [value for value in row if value != 128]
        seen.add((row[0] > row[-1] if len(kept) == 32 else kept[0] > kept[-1], row.index(kept[0]) if 128 in row else 0))
        assert 28 <= len(kept) <= 32
        assert kept in (sorted(kept), sorted(kept, reverse=True))
    assert {flipped for flipped, _ in seen} == {True, False}
    assert {place for _, place in seen} == set(range(5))


def test_one_of_sixteen_operations_is_applied_with_a_random_magnitude(mmpretrain_scope):
    pipeline = Compose(Config.fromfile(path_of('dmt')).train_pipeline)
    (augment,) = (step for step in pipeline.transforms if isinstance(step, RandAugment))
    assert augment.num_policies == 1
    assert {operation.prob for operation in augment} == {1.0}
    ranges = {}
    for operation in augment:
        if operation.magnitude_range is not None:
            drawn = [operation.random_magnitude() for _ in range(500)]
            name = type(operation).__name__ + getattr(operation, 'direction', '')
            ranges[name] = (min(drawn), max(drawn))
        assert getattr(operation, 'interpolation', 'nearest') == 'nearest'
    expected = {
        'Rotate': (0, 30),
        'Posterize': (0, 4),
        'Solarize': (0, 256),
        'SolarizeAdd': (0, 110),
        **dict.fromkeys(('ColorTransform', 'Contrast', 'Brightness', 'Sharpness'), (-0.9, 0.9)),
        **dict.fromkeys(('Shearhorizontal', 'Shearvertical'), (0, 0.3)),
        'Cutout': (0, 40),
        **dict.fromkeys(('Translatehorizontal', 'Translatevertical'), (0, 3.125)),
    }
    assert len(list(augment)) == len(expected) + 3  # AutoContrast, Equalize, Invert
    assert ranges.keys() == expected.keys()
    for name, (low, high) in expected.items():
        assert ranges[name] == pytest.approx((low, high), abs=0.03 * (high - low))


SHORT = {
    'train_cfg.val_interval': 7,
    **{f'custom_hooks.1.{key}': value for key, value in dict(warm_up=2, iters=1, labeled=2, pseudo=6).items()},
    'custom_hooks.1.labeling.num_workers': 0,
    'default_hooks.logger.interval': 1,
    'default_hooks.checkpoint.interval': 7,
    'train_dataloader.batch_size': 8,
    'train_dataloader.num_workers': 0,
    **{
        f'train_dataloader.dataset.{part}.{key}': value
        for part in ('labeled', 'unlabeled')
        for key, value in dict(type='mmdmt.TinyCIFAR10', labels_per_class=2, val_per_class=1).items()
    },
}
TEST_ON_TINY = {
    f'{part}_dataloader.{key}': value
    for part in ('val', 'test')
    for key, value in {'num_workers': 0, 'persistent_workers': False, 'dataset.type': 'mmdmt.TinyCIFAR10'}.items()
}


def run(script, folder, *arguments):
    result = python(toolbox_script(script, 'mmpretrain'), *arguments, cwd=folder)
    assert result.returncode == 0, result.stderr[-3000:]
    return result.stdout + result.stderr


@pytest.mark.process
def test_dmt_is_trained_and_tested_by_the_scripts_of_mmpretrain(tmp_path):
    write_archive(tmp_path / 'data' / 'cifar10')
    # A data set that is not in mmdmt has to be imported while the config is read.
    config = tmp_path / 'tiny.py'
    imports = "custom_imports = dict(imports=['mmdmt', 'toys.cifar10'])"
    config.write_text(f"_base_ = '{path_of('dmt')}'\n{imports}\n")
    tiny = {'backbone.depth': 10, 'backbone.widen_factor': 1, 'head.in_channels': 64}
    networks = {f'model.peers.{peer}.{key}': value for peer in ('left', 'right') for key, value in tiny.items()}
    options = ['--cfg-options', *(f'{key}={value}' for key, value in (TEST_ON_TINY | networks).items())]
    short = [f'{key}={value}' for key, value in SHORT.items()]
    run('train.py', tmp_path, config, '--work-dir', 'work', '--no-persistent-workers', *options, *short)
    (log,) = (tmp_path / 'work').glob('*/vis_data/scalars.json')
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    trained = [entry for entry in entries if 'loss' in entry]
    assert len(trained) == 7
    assert all(f'{peer}.mean_weight' in trained[-1] for peer in ('left', 'right'))
    results = {name: entries[-1][name] for name in ('left/top1', 'right/top1', 'ensemble/top1')}
    assert all(0 <= result <= 100 for result in results.values())
    # Nothing is written beside the data.
    assert {path.name for path in (tmp_path / 'data').rglob('*') if path.is_file()} == {*FILES, 'batches.meta'}
    run('test.py', tmp_path, config, tmp_path / 'work' / 'iter_7.pth', '--work-dir', 'tested', *options)
    (tested,) = (tmp_path / 'tested').glob('*/*.json')
    tested = json.loads(tested.read_text())
    assert {name: tested[name] for name in results} == results

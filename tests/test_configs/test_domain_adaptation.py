"""Domain adaptation: what the configs read and train, and whole runs by MMSegmentation's scripts."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DATASETS, METRICS, MODELS
from mmengine.runner import Runner
from PIL import Image
from test_whole_runs import SHORT, crops, train, train_step
from toys.adverse_conditions import small_pair
from toys.voc_and_cityscapes import blobs, make_cityscapes, picture

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / 'configs' / 'domain_adaptation'
NAME = 'dmt_deeplabv3plus-r50_segformer-b0_1xb8_{}2cityscapes-512x512.py'
SOURCES = ('gta', 'synthia')
SMALL_BATCH = ['train_dataloader.batch_size=2', 'custom_hooks.0.labeled=1', 'custom_hooks.0.pseudo=1']

pytestmark = pytest.mark.usefixtures('mmseg_scope')

each_source = pytest.mark.parametrize('source', SOURCES)


def make_sources(root, **sizes):
    """Images of GTA5 and SYNTHIA and their converted masks; Cityscapes, and lists of some labeled images of it."""
    make_cityscapes(root, **sizes)
    generator = np.random.default_rng(2)
    layouts = (
        ('gta/images', 'gta_masks', '{:05d}', '_labelTrainIds', 19),
        ('RAND_CITYSCAPES/RGB', 'synthia_masks', '{:07d}', '_labelTrainIds16', 16),
    )
    for images, masks, name, suffix, classes in layouts:
        (root / 'data' / images).mkdir(parents=True)
        (root / 'data' / masks).mkdir()
        for number, size in enumerate(((21, 37), (26, 33), (23, 40)), start=1):
            picture(generator, size).save(root / 'data' / images / f'{name.format(number)}.png')
            mask = Image.fromarray(blobs(generator, size, classes))
            mask.save(root / 'data' / masks / f'{name.format(number)}{suffix}.png')
    return root


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return make_sources(tmp_path_factory.mktemp('run'))


@pytest.fixture
def load(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return lambda source: Config.fromfile(FOLDER / NAME.format(source))


def test_all_scenes_of_one_polarity_are_light_on_dark():
    config = Config.fromfile(FOLDER / 'dmt_unet-resnet_1xb8_digit-scenes-fonts2handwriting-one-polarity.py')
    dataset = DATASETS.build(config.train_dataloader.dataset)
    val = DATASETS.build(config.val_dataloader.dataset)
    assert (len(dataset.labeled), dataset.num_unlabeled(), len(val)) == (600, 600, 200)
    domains = [part.get_data_info(0)['scene'].domain for part in (dataset.labeled, dataset.unlabeled, val)]
    assert domains == ['fonts', 'handwriting', 'handwriting']
    assert not {val.get_data_info(n)['img_path'] for n in range(200)} & {*dataset._paths(dataset.labeled)}
    steps = ('LoadSceneImage', 'LightOnDark')  # before anything is labeled, cropped or packed
    for part in (dataset.labeled, dataset.unlabeled, val):
        assert tuple(type(step).__name__ for step in part.pipeline.transforms[:2]) == steps
    for number in range(20):
        sample = val[number]
        ink = sample['data_samples'].gt_sem_seg.data[0] > 0
        gray = sample['inputs'].float().mean(0)
        assert not ink.any() or gray[ink].mean() > gray[~ink].mean()


def test_scenes_are_warped_where_networks_learn_and_nowhere_else():
    name = 'dmt-warp_resnet_1xb8-2500_digit-scenes-fonts2handwriting-one-polarity.py'
    config = Config.fromfile(FOLDER / name).train_dataloader.dataset
    dataset, again = DATASETS.build(config), DATASETS.build(config)
    steps = [type(step).__name__ for step in dataset.labeled.pipeline.transforms]
    assert steps[2:4] == ['LoadSceneAnnotations', 'RandomWarp']
    for number in range(3):  # what is labeled is not warped
        assert again.labeling_item(number)['inputs'].equal(dataset.labeling_item(number)['inputs'])


@each_source
def test_labels_come_from_the_source_and_no_label_from_the_target(load, source):
    dataset = DATASETS.build(load(source).train_dataloader.dataset)
    assert (len(dataset.labeled), dataset.num_unlabeled()) == (3, 9)
    assert type(dataset.labeled).__name__ == {'gta': 'GTADataset', 'synthia': 'SYNTHIADataset'}[source]
    info = dataset.unlabeled.get_data_info(0)
    assert 'cityscapes/leftImg8bit/train' in info['img_path']
    assert 'seg_map_path' not in info
    assert len(dataset.metainfo['classes']) == {'gta': 19, 'synthia': 16}[source]
    assert tuple(dataset.labeling_item(0)['inputs'].shape) == (3, 512, 1024)


@each_source
def test_predictions_are_compared_with_ground_truth_of_full_size(load, source):
    dataset = DATASETS.build(load(source).val_dataloader.dataset)
    sample = dataset[0]['data_samples']
    mask = np.asarray(Image.open(sample.seg_map_path))
    assert sample.ori_shape == sample.gt_sem_seg.shape == mask.shape
    assert sample.img_shape == (512, 1024)


def test_of_synthia_16_and_13_classes_are_reported(load):
    config = load('synthia')
    assert {peer.decode_head.num_classes for peer in config.model.peers.values()} == {16}
    metric = METRICS.build(config.val_evaluator.metric)
    classes = DATASETS.build(config.val_dataloader.dataset).metainfo['classes']
    assert len(classes) == 16
    assert set(classes) - set(metric.subsets['mIoU13']) == {'wall', 'fence', 'pole'}
    assert len(metric.subsets['mIoU13']) == 13


def test_both_peers_have_adamw(load, unset_weights):
    config = load('gta')
    config.model.peers.deeplab.pretrained = None
    optimizers = build_optim_wrapper(MODELS.build(config.model), config.optim_wrapper)
    for peer in ('deeplab', 'segformer'):
        groups = optimizers[peer].optimizer.param_groups
        assert type(optimizers[peer].optimizer).__name__ == 'AdamW'
        assert {round(group['lr'], 9) for group in groups} == {6e-5, 6e-4}


KIT = 'dmt-kit_segformer-b2_upernet-convnext-t_1xb8_gta2cityscapes-512x512.py'


def test_the_kit_shows_a_learner_what_its_labeler_does_not_see(folder, monkeypatch):
    monkeypatch.chdir(folder)
    config = Config.fromfile(FOLDER / KIT)
    dataset = DATASETS.build(config.train_dataloader.dataset)
    steps = [type(step).__name__ for step in dataset.unlabeled.pipeline.transforms]
    label = ['LoadImageFromFile', 'Resize', 'LoadPseudoLabel', 'IgnoreMargins']
    assert steps == [*label, 'RandomCrop', 'RandomFlip', 'TwoViews', 'PackPseudoLabel']
    labeled = [type(step).__name__ for step in dataset.labeled.pipeline.transforms]
    assert labeled[-5:] == ['RandomCrop', 'RandomFlip', 'RandomApply', 'GaussianBlur', 'PackSegInputs']


@pytest.mark.whole_run
def test_the_kit_trains_on_labels_of_the_averaged_peers(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder)
    config = small_pair(Config.fromfile(FOLDER / KIT), tmp_path)
    hook = config.custom_hooks[0]
    hook.update(warm_up=1, iters=2, labeled=1, pseudo=1)
    hook.rare_classes.min_pixels = 10
    config.train_cfg.val_interval = 3
    config.param_scheduler = config.param_scheduler[1:]
    config.param_scheduler[0].begin = 0
    before = sorted(folder.rglob('*'))
    runner = Runner.from_cfg(config)
    runner.train()
    assert runner.iter == 3
    assert not list((tmp_path / 'work').rglob('manifest*'))  # no bank
    assert sorted(folder.rglob('*')) == before


def tiny_peers():
    """Options that make tiny networks of both peers, with no weights to load, and batches of two small crops."""
    deeplab, segformer = 'model.peers.deeplab', 'model.peers.segformer'
    return [
        f'{deeplab}.pretrained=None',
        f'{deeplab}.backbone.depth=18',
        f'{deeplab}.backbone.stem_channels=4',
        f'{deeplab}.backbone.base_channels=4',
        f'{deeplab}.decode_head.in_channels=32',
        f'{deeplab}.decode_head.c1_in_channels=4',
        f'{deeplab}.decode_head.channels=8',
        f'{deeplab}.decode_head.c1_channels=4',
        f'{deeplab}.auxiliary_head.in_channels=16',
        f'{deeplab}.auxiliary_head.channels=8',
        f'{segformer}.backbone.embed_dims=4',
        f'{segformer}.backbone.init_cfg=None',
        f'{segformer}.decode_head.in_channels=[4,8,20,32]',
        f'{segformer}.decode_head.channels=8',
        *(f'{peer}.{head}.norm_cfg.type=BN' for peer in (deeplab, segformer) for head in ('decode_head',)),
        f'{deeplab}.auxiliary_head.norm_cfg.type=BN',
        f'{deeplab}.backbone.norm_cfg.type=BN',
        *SMALL_BATCH,
    ]


def small_images(labeled, resized, **steps):
    """Options that make images an eighth as wide, and crops of them."""
    places = [train_step('unlabeled', 1), *(f'{part}_dataloader.dataset.pipeline.1' for part in ('val', 'test'))]
    scales = {**dict.fromkeys(places, '(128,64)'), train_step(labeled, 2): resized}
    return [
        *crops('(64,64)', 'deeplab', 'segformer', unlabeled=3, **{labeled: 3}, **steps),
        *(f'{place}.scale={scale}' for place, scale in scales.items()),
    ]


SMALL = small_images('labeled', '(160,90)')


@pytest.mark.whole_run
def test_source_to_cityscapes_runs_whole(tmp_path):
    make_sources(tmp_path, labeled=2, unlabeled=3, val=1)
    shutil.rmtree(tmp_path / 'data' / 'cityscapes' / 'gtFine' / 'train')  # no label of the target is needed
    before = sorted(tmp_path.rglob('*'))
    entries = train(f'domain_adaptation/{NAME.format("gta")}', tmp_path, *SHORT, *tiny_peers(), *SMALL)
    assert {f'{name}/mIoU' for name in ('deeplab', 'segformer', 'ensemble')} <= set(entries[-1])
    trained = [entry for entry in entries if 'loss' in entry]
    assert len(trained) == 7
    assert all(f'{peer}.mean_weight' in trained[-1] for peer in ('deeplab', 'segformer'))
    after = sorted(path for path in tmp_path.rglob('*') if tmp_path / 'work' not in (path, *path.parents))
    assert after == before

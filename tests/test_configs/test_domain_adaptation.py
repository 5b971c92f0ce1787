"""Domain adaptation: what the configs read and train, and whole runs by MMSegmentation's scripts."""

import importlib.util
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
from toys.voc_and_cityscapes import blobs, make_cityscapes, picture, write_list

from mmdmt.method.draws import Draw, DrawPlan, PeerPool
from mmdmt.method.phases import Curriculum

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / 'configs' / 'domain_adaptation'
NAME = '{}_deeplabv3plus-r50_segformer-b0_1xb8_{}2cityscapes{}-512x512.py'
SOURCES = {'gta': 24966, 'synthia': 9400}
FRACTIONS = {100: '29.75', 200: '14.875', 500: '5.95', 1000: '2.975'}
SMALL_BATCH = [
    'train_dataloader.batch_size=2',
    'custom_hooks.0.phases.0.labeled=2',
    *(f'custom_hooks.0.phases.{phase}.{part}=1' for phase in range(1, 6) for part in ('labeled', 'pseudo')),
]
LEAVES = sorted(FOLDER.glob('*.py'))

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
    lists = root / 'splits' / 'cityscapes' / 'split0'
    for fraction in FRACTIONS.values():
        for part in ('labeled', 'unlabeled'):
            names = (lists / f'{part}_1of8.txt').read_text().splitlines()
            write_list(root / 'splits' / 'cityscapes-target' / 'split0' / f'{part}_1of{fraction}.txt', names)
    return root


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return make_sources(tmp_path_factory.mktemp('run'))


@pytest.fixture
def load(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return lambda method, source, labels='': Config.fromfile(FOLDER / NAME.format(method, source, labels))


@pytest.mark.parametrize('path', LEAVES, ids=lambda path: path.stem)
def test_leaves_are_short_and_read_nothing_outside_the_users_folder(path, tmp_path, monkeypatch):
    assert len(path.read_text().splitlines()) < 40
    monkeypatch.chdir(tmp_path)
    config = Config.fromfile(path)
    assert Curriculum.from_configs(config.custom_hooks[0].phases).total_iters == config.train_cfg.max_iters
    assert str(ROOT) not in config.pretty_text.replace(str(FOLDER), '')
    assert not config.train_dataloader.dataset.unlabeled.get('data_prefix', {}).get('seg_map_path')


@pytest.mark.parametrize('path', [path for path in LEAVES if path.stem.startswith('dmt_')], ids=lambda path: path.stem)
def test_no_more_than_half_of_a_class_is_kept(path):
    ratios = [phase.label_ratio for phase in Config.fromfile(path).custom_hooks[0].phases[1:]]
    assert ratios == [0.1, 0.2, 0.3, 0.4, 0.5]


@pytest.mark.parametrize('peers', ['unet-resnet', 'resnet'])
def test_all_scenes_of_one_polarity_are_light_on_dark(peers):
    name = f'{{}}_{peers}_1xb8_digit-scenes-fonts2handwriting-one-polarity.py'
    config, all_labels, source_only = (
        Config.fromfile(FOLDER / name.format(method)) for method in ('dmt', 'dmt-all-labels', 'source-only')
    )
    assert len(config.model.peers) == 2
    assert [phase.label_ratio for phase in all_labels.custom_hooks[0].phases[1:]] == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert source_only.custom_hooks[0].phases == [{'iters': 1500, 'labeled': 8}]
    for key in ('model', 'train_dataloader', 'val_dataloader', 'train_cfg', 'optim_wrapper'):
        assert config[key] == all_labels[key] == source_only[key]
    dataset = DATASETS.build(config.train_dataloader.dataset)
    val = DATASETS.build(config.val_dataloader.dataset)
    steps = ('LoadSceneImage', 'LightOnDark')  # before anything is labeled, cropped or packed
    for part in (dataset.labeled, dataset.unlabeled, val):
        assert tuple(type(step).__name__ for step in part.pipeline.transforms[:2]) == steps
    for number in range(20):
        sample = val[number]
        ink = sample['data_samples'].gt_sem_seg.data[0] > 0
        gray = sample['inputs'].float().mean(0)
        assert not ink.any() or gray[ink].mean() > gray[~ink].mean()


def test_scenes_are_warped_where_networks_learn_and_nowhere_else():
    name = '{}_resnet_1xb8-2500_digit-scenes-fonts2handwriting-one-polarity.py'
    warped, plain = (Config.fromfile(FOLDER / name.format(method)) for method in ('dmt-warp', 'dmt'))
    config, dataset = warped.train_dataloader.dataset, DATASETS.build(warped.train_dataloader.dataset)
    steps = [type(step).__name__ for step in dataset.labeled.pipeline.transforms]
    assert steps[2:4] == ['LoadSceneAnnotations', 'RandomWarp']
    again = DATASETS.build(config)
    for number in range(3):  # what is labeled is not warped
        assert again.labeling_item(number)['inputs'].equal(dataset.labeling_item(number)['inputs'])
    assert warped.val_dataloader == plain.val_dataloader
    for key in ('model', 'train_cfg', 'custom_hooks', 'optim_wrapper'):
        assert warped[key] == plain[key]
    for method, same in (('source-only-warp', warped), ('source-only', plain)):
        source_only = Config.fromfile(FOLDER / name.format(method))
        assert source_only.custom_hooks[0].phases == [{'iters': 2500, 'labeled': 8}]
        assert source_only.train_dataloader == same.train_dataloader


@each_source
def test_labels_come_from_the_source_and_no_label_from_the_target(load, source):
    dataset = DATASETS.build(load('dmt', source).train_dataloader.dataset)
    assert (len(dataset.labeled), dataset.num_unlabeled()) == (3, 9)
    assert type(dataset.labeled).__name__ == {'gta': 'GTADataset', 'synthia': 'SYNTHIADataset'}[source]
    info = dataset.unlabeled.get_data_info(0)
    assert 'cityscapes/leftImg8bit/train' in info['img_path']
    assert 'seg_map_path' not in info
    assert len(dataset.metainfo['classes']) == {'gta': 19, 'synthia': 16}[source]
    assert tuple(dataset.labeling_item(0)['inputs'].shape) == (3, 512, 1024)


@each_source
@pytest.mark.parametrize('labels', FRACTIONS)
def test_half_of_the_labeled_images_are_of_the_target_in_the_mixed_form(load, folder, source, labels):
    config = load('dmt', source, f'-{labels}')
    _, repeated = config.train_dataloader.dataset.labeled.datasets
    assert repeated.times * labels == pytest.approx(SOURCES[source], rel=0.05)
    assert str(labels) in (FOLDER / NAME.format('dmt', source, f'-{labels}')).read_text().splitlines()[0]
    lists = folder / 'splits' / 'cityscapes-target' / 'split0'
    assert repeated.dataset.ann_file == str(lists / f'labeled_1of{FRACTIONS[labels]}.txt')
    assert config.train_dataloader.dataset.unlabeled.ann_file == str(lists / f'unlabeled_1of{FRACTIONS[labels]}.txt')
    dataset = DATASETS.build(config.train_dataloader.dataset)
    assert (len(dataset.labeled), dataset.num_unlabeled()) == (3 + 4 * repeated.times, 5)


@each_source
def test_images_of_the_mixed_form_have_labels_of_the_same_classes(load, source):
    dataset = DATASETS.build(load('dmt', source, '-100').train_dataloader.dataset)
    # What the peers draw: images of both, of one size.
    plan = DrawPlan(0, 0, 0, 4, 8, 0, (PeerPool('deeplab', range(len(dataset.labeled)), range(5), None),))
    batch = [dataset[draw] for draw in [*plan.batch(0), plan.batch(0)[0]._replace(image=0)]]
    assert {'cityscapes' in item['data_samples'].img_path for item in batch} == {True, False}
    labels_drawn = np.unique(np.concatenate([item['data_samples'].gt_sem_seg.data.flatten() for item in batch]))
    assert set(labels_drawn) <= {*range({'gta': 19, 'synthia': 16}[source]), 255}


def test_the_lists_are_those_that_make_splits_writes(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location('make_splits', ROOT / 'tools' / 'make_splits.py')
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    images = tmp_path / 'train'
    images.mkdir()
    for number in range(2975):
        (images / f'{number:04d}_leftImg8bit.png').touch()
    options = ['--img-suffix', '_leftImg8bit.png', '--num-splits', '1', '--denominators', *FRACTIONS.values()]
    tool.main(['generic', 'cityscapes-target', str(images), str(tmp_path / 'splits'), *options])
    lists = tmp_path / 'splits' / 'cityscapes-target' / 'split0'
    for labels, fraction in FRACTIONS.items():
        assert len((lists / f'labeled_1of{fraction}.txt').read_text().splitlines()) == labels
        assert len((lists / f'unlabeled_1of{fraction}.txt').read_text().splitlines()) == 2975 - labels


@each_source
def test_source_only_and_oracle_differ_in_what_is_labeled_alone(load, folder, source):
    whole, source_only, oracle = (load(method, source) for method in ('dmt', 'source-only', 'oracle'))
    assert source_only.train_dataloader == whole.train_dataloader
    for config in (source_only, oracle):
        (phase,) = config.custom_hooks[0].phases
        assert phase == {'iters': whole.train_cfg.max_iters, 'labeled': 8}
        for key in ('model', 'optim_wrapper', 'param_scheduler', 'train_cfg', 'val_dataloader', 'val_evaluator'):
            assert config[key] == whole[key]
    labeled, unlabeled = oracle.train_dataloader.dataset.labeled, oracle.train_dataloader.dataset.unlabeled
    assert 'ann_file' not in labeled
    assert labeled.data_prefix == {
        'img_path': 'cityscapes/leftImg8bit/train',
        'seg_map_path': 'cityscapes/gtFine/train',
    }
    assert unlabeled.data_prefix == {'img_path': 'cityscapes/leftImg8bit/test'}


@each_source
def test_the_oracle_reads_target_labels_and_never_draws_its_test_images(tmp_path, monkeypatch, source):
    make_sources(tmp_path, unlabeled=0)
    shutil.rmtree(tmp_path / 'data' / 'gta')  # no source is needed
    test_images = tmp_path / 'data' / 'cityscapes' / 'leftImg8bit' / 'test' / 'berlin'
    test_images.mkdir(parents=True)
    picture(np.random.default_rng(0), (24, 48)).save(test_images / 'berlin_000000_000019_leftImg8bit.png')
    monkeypatch.chdir(tmp_path)
    config = Config.fromfile(FOLDER / NAME.format('oracle', source, ''))
    dataset = DATASETS.build(config.train_dataloader.dataset)
    assert (len(dataset.labeled), dataset.num_unlabeled()) == (4, 1)
    assert len(dataset.metainfo['classes']) == {'gta': 19, 'synthia': 16}[source]
    sample = dataset[Draw('deeplab', 0, 1, None)]['data_samples']
    assert '/train/' in sample.img_path
    assert sample.gt_sem_seg.shape == (512, 512)


@each_source
def test_predictions_are_compared_with_ground_truth_of_full_size(load, source):
    dataset = DATASETS.build(load('dmt', source).val_dataloader.dataset)
    sample = dataset[0]['data_samples']
    mask = np.asarray(Image.open(sample.seg_map_path))
    assert sample.ori_shape == sample.gt_sem_seg.shape == mask.shape
    assert sample.img_shape == (512, 1024)


def test_of_synthia_16_and_13_classes_are_reported(load):
    config = load('dmt', 'synthia')
    assert {peer.decode_head.num_classes for peer in config.model.peers.values()} == {16}
    metric = METRICS.build(config.val_evaluator.metric)
    classes = DATASETS.build(config.val_dataloader.dataset).metainfo['classes']
    assert len(classes) == 16
    assert set(classes) - set(metric.subsets['mIoU13']) == {'wall', 'fence', 'pole'}
    assert len(metric.subsets['mIoU13']) == 13


def test_both_peers_have_adamw(load, unset_weights):
    config = load('dmt', 'gta')
    config.model.peers.deeplab.pretrained = None
    optimizers = build_optim_wrapper(MODELS.build(config.model), config.optim_wrapper)
    for peer in ('deeplab', 'segformer'):
        groups = optimizers[peer].optimizer.param_groups
        assert type(optimizers[peer].optimizer).__name__ == 'AdamW'
        assert {round(group['lr'], 9) for group in groups} == {6e-5, 6e-4}


@pytest.mark.whole_run
def test_the_small_configs_run_from_printed_to_handwritten_digits():
    name = '{}_resnet_1xb8_digit-scenes-fonts2handwriting.py'
    domains = {
        'dmt': ('fonts', 'handwriting'),
        'source-only': ('fonts', 'handwriting'),
        'oracle': ('handwriting', 'fonts'),
    }
    for method, (labeled, unlabeled) in domains.items():
        config = Config.fromfile(FOLDER / name.format(method))
        dataset = DATASETS.build(config.train_dataloader.dataset)
        assert (len(dataset.labeled), dataset.num_unlabeled()) == (600, 600)
        for part, domain in ((dataset.labeled, labeled), (dataset.unlabeled, unlabeled)):
            assert part.get_data_info(0)['scene'].domain == domain
        val = DATASETS.build(config.val_dataloader.dataset)
        assert (len(val), val.get_data_info(0)['scene'].domain) == (200, 'handwriting')
        assert not {val.get_data_info(n)['img_path'] for n in range(200)} & {*dataset._paths(dataset.labeled)}


KIT = 'dmt-kit_segformer-b2_upernet-convnext-t_1xb8_{}2cityscapes-512x512.py'


KIT_SHARE = KIT.replace('kit_', 'kit-share_')
KIT_B5 = 'dmt-kit_segformer-b5_upernet-convnext-b_1xb8_{}2cityscapes-512x512.py'
KIT_DINOV2 = 'dmt-kit_dinov2-s_1xb8_{}2cityscapes-504x504.py'


@each_source
@pytest.mark.parametrize('kit', [KIT, KIT_SHARE, KIT_B5, KIT_DINOV2], ids=['b2', 'share', 'b5', 'dinov2'])
def test_the_kit_shows_a_learner_what_its_labeler_does_not_see(folder, monkeypatch, source, kit):
    monkeypatch.chdir(folder)
    config = Config.fromfile(FOLDER / kit.format(source))
    (size,) = {peer.data_preprocessor.size for peer in config.model.peers.values()}
    for part in ('labeled', 'unlabeled'):
        (crop,) = (step for step in config.train_dataloader.dataset[part].pipeline if step.type == 'RandomCrop')
        assert crop.crop_size == size
    assert [mix.type for mix in config.model.mixes] == ['mmdmt.ClassMix', 'mmdmt.BlockMask']
    hook, averaging = config.custom_hooks
    assert (averaging.ema_type, averaging.momentum) == ('MomentumAnnealingEMA', 0.001)
    assert 'label_ratio' not in hook.phases[1]
    assert hook.phases[1].online == {'labeler': 'average'}
    assert hook.rare_classes == {'temperature': 0.01, 'min_pixels': 3000}
    dataset = DATASETS.build(config.train_dataloader.dataset)
    steps = [type(step).__name__ for step in dataset.unlabeled.pipeline.transforms]
    label = ['LoadImageFromFile', 'Resize', 'LoadPseudoLabel', 'IgnoreMargins']
    assert steps == [*label, 'RandomCrop', 'RandomFlip', 'TwoViews', 'PackPseudoLabel']
    labeled = [type(step).__name__ for step in dataset.labeled.pipeline.transforms]
    assert labeled[-5:] == ['RandomCrop', 'RandomFlip', 'RandomApply', 'GaussianBlur', 'PackSegInputs']
    classes = {'gta': 19, 'synthia': 16}[source]
    assert {peer.decode_head.num_classes for peer in config.model.peers.values()} == {classes}
    warm_up, decay = config.param_scheduler
    assert (warm_up.end, decay.begin, decay.power) == (1500, 1500, 1.0)


@each_source
def test_kits_differ_in_the_rule_or_in_their_peers_alone(source):
    kit, share, b5, dinov2 = (
        Config.fromfile(FOLDER / name.format(source)) for name in (KIT, KIT_SHARE, KIT_B5, KIT_DINOV2)
    )
    assert share.model.loss == {**kit.model.loss, 'rule': 'share', 'share_threshold': 0.968}
    assert share.model.peers == kit.model.peers
    assert b5.model.loss == dinov2.model.loss == kit.model.loss
    segformer, convnext = b5.model.peers.segformer, b5.model.peers.convnext
    assert segformer.backbone.num_layers == (3, 6, 40, 3)
    assert segformer.decode_head == kit.model.peers.segformer.decode_head
    assert 'mit_b5' in segformer.backbone.init_cfg.checkpoint
    assert convnext.backbone.arch == 'base'
    assert 'convnext-base' in convnext.backbone.init_cfg.checkpoint
    assert (convnext.decode_head.in_channels, convnext.auxiliary_head.in_channels) == ([128, 256, 512, 1024], 512)
    assert [peer.decode_head.type for peer in dinov2.model.peers.values()] == ['UPerHead', 'DPTHead']
    for peer in dinov2.model.peers.values():
        assert (peer.data_preprocessor.size[0] % 14, peer.data_preprocessor.test_cfg.size_divisor) == (0, 14)
    for other in (share, b5, dinov2):
        for key in ('custom_hooks', 'param_scheduler', 'train_cfg', 'val_dataloader'):
            assert other[key] == kit[key]
    for other in (share, b5):
        assert (other.train_dataloader, other.optim_wrapper) == (kit.train_dataloader, kit.optim_wrapper)


@pytest.mark.whole_run
def test_the_kit_trains_on_labels_of_the_averaged_peers(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder)
    config = small_pair(Config.fromfile(FOLDER / KIT.format('gta')), tmp_path)
    hook = config.custom_hooks[0]
    hook.phases = [dict(iters=1, labeled=2), dict(iters=2, labeled=1, pseudo=1, online=dict(labeler='average'))]
    hook.rare_classes.min_pixels = 10
    config.train_cfg.update(max_iters=3, val_interval=3)
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


SMALL_GTA = small_images('labeled', '(160,90)')
SMALL_MIXED = small_images('labeled_datasets_1_dataset', '(128,64)', labeled_datasets_0=2)


@pytest.mark.whole_run
@pytest.mark.parametrize(
    ('source', 'labels', 'small'),
    [('gta', '', SMALL_GTA), ('synthia', '-100', SMALL_MIXED)],
    ids=['gta', 'synthia-mixed'],
)
def test_source_to_cityscapes_runs_whole(tmp_path, source, labels, small):
    make_sources(tmp_path, labeled=2, unlabeled=3, val=1)
    if not labels:
        shutil.rmtree(tmp_path / 'data' / 'cityscapes' / 'gtFine' / 'train')  # no label of the target is needed
    before = sorted(tmp_path.rglob('*'))
    config = f'domain_adaptation/{NAME.format("dmt", source, labels)}'
    entries = train(config, tmp_path, *SHORT, *tiny_peers(), *small)
    assert {f'{name}/mIoU' for name in ('deeplab', 'segformer', 'ensemble')} <= set(entries[-1])
    if source == 'synthia':
        assert 'ensemble/mIoU13' in entries[-1]
    trained = [entry for entry in entries if 'loss' in entry]
    assert len(trained) == 7
    assert all(f'{peer}.mean_weight' in trained[-1] for peer in ('deeplab', 'segformer'))
    after = sorted(path for path in tmp_path.rglob('*') if tmp_path / 'work' not in (path, *path.parents))
    assert after == before

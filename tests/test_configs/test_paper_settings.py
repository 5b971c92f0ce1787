"""The configs say what the paper and its published scripts say, row by row."""

import json
from pathlib import Path
from typing import NamedTuple

import pytest
from mmengine.config import Config
from toys.resolved_settings import resolved

from mmdmt.config_table import LISTS
from mmdmt.preparation import published_splits

ROOT = Path(__file__).parents[2]
COCO = ([104.008, 116.669, 122.675], [1.0, 1.0, 1.0], False)
IMAGENET = ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375], True)


class Row(NamedTuple):
    """A run with DMT of the paper's table."""

    name: str
    warm_up: int
    per_phase: int
    val_interval: int
    lr: tuple[float, float]
    batch: tuple[int, int]
    gamma: float
    peers: tuple[tuple, tuple]
    lists: str
    dms: bool = False


VOC = {'lr': (0.002, 0.001), 'batch': (1, 7), 'gamma': 5.0}
CITYSCAPES = {'lr': (0.004, 0.004), 'batch': (2, 6), 'gamma': 3.0, 'peers': (COCO, IMAGENET)}
BOTH = (COCO, IMAGENET)
ROWS = [
    Row('voc12aug-1of106-321x321', 3000, 5992, 100, **VOC, peers=(COCO, COCO), lists='split0/{}_1of106.txt', dms=True),
    Row('voc12aug-1of50-321x321', 3618, 5928, 220, **VOC, peers=BOTH, lists='split0/{}_1of50.txt'),
    Row('voc12aug-1of20-321x321', 8978, 5744, 220, **VOC, peers=BOTH, lists='split0/{}_1of20.txt'),
    Row('voc12aug-1of8-321x321', 14110, 5292, 350, **VOC, peers=BOTH, lists='split0/{}_1of8.txt'),
    Row('voc12aug-sbd-321x321', 15555, 6515, 350, **VOC, peers=BOTH, lists='sbd/{}.txt'),
    Row('cityscapes-1of8-half-512x1024', 7990, 4340, 350, **CITYSCAPES, lists='split0/{}_1of8.txt'),
    Row('cityscapes-1of30-half-512x1024', 4290, 4800, 100, **CITYSCAPES, lists='split0/{}_1of30.txt'),
]
ORACLES = [('voc12aug-all-321x321', 39690, 0.002, 21), ('cityscapes-all-half-512x1024', 22320, 0.004, 19)]

SUPERVISED = ['voc12aug-1of20-321x321', 'cityscapes-1of8-half-512x1024']

each_row = pytest.mark.parametrize('row', ROWS, ids=lambda row: row.name)


def load(method, name):
    folder = 'voc' if name.startswith('voc') else 'cityscapes'
    return Config.fromfile(ROOT / 'configs' / folder / f'{method}_deeplabv2-r101_1xb8_{name}.py')


def run_of(config):
    """The phases of a run, and its loop, written out."""
    settings = resolved(config.to_dict())
    return settings['custom_hooks'][0]['phases'], settings['train_cfg']


def preprocessing(peer):
    given = peer.data_preprocessor
    return given.mean, given.std, given.bgr_to_rgb


def check_network(peer, name):
    """DeepLab-v2 on ResNet-101 of output stride 8, with the first two of its dilations, and the sizes of the data."""
    voc = name.startswith('voc')
    backbone, head, given = peer.backbone, peer.decode_head, peer.data_preprocessor
    assert (backbone.type, backbone.depth) == ('ResNet', 101)
    assert (backbone.style, backbone.norm_eval) == ('pytorch', False)
    assert (backbone.strides, backbone.dilations) == ((1, 2, 1, 1), (1, 1, 2, 4))
    assert (head.type, head.dilations, head.align_corners) == ('mmdmt.DeepLabV2Head', (6, 12), True)
    assert head.num_classes == (21 if voc else 19)
    assert given.size == ((321, 321) if voc else (256, 512))
    assert given.test_cfg == ({'size': (505, 505)} if voc else None)
    assert peer.test_cfg.mode == 'whole'


def check_optimization(config, lr):
    assert config.optim_wrapper.type == 'OptimWrapper'  # --amp changes it
    assert config.optim_wrapper.optimizer == {'type': 'SGD', 'lr': lr, 'momentum': 0.9, 'weight_decay': 5e-4}
    assert 'paramwise_cfg' not in config.optim_wrapper
    (poly,) = config.param_scheduler
    assert (poly.type, poly.power, poly.eta_min, poly.by_epoch) == ('PolyLR', 0.9, 0.0, False)


@each_row
def test_phases(row):
    config = load('dmt', row.name)
    assert config.custom_hooks[0].carry == 'last'
    (warm_up, *phases), loop = run_of(config)
    folder = f'splits/{row.name.split("-")[0]}'
    parts = {side: f'{folder}/{row.lists.format(f"dms_{side}")}' for side in ('left', 'right')}
    assert warm_up == {'iters': row.warm_up, 'labeled': 8, **({'labeled_lists': parts} if row.dms else {})}
    assert [phase['label_ratio'] for phase in phases] == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert {(phase['iters'], phase['labeled'], phase['pseudo']) for phase in phases} == {(row.per_phase, *row.batch)}
    assert {config.optim_wrapper.optimizer.lr * phase.get('lr_factor', 1) for phase in phases} == {row.lr[1]}
    check_optimization(config, row.lr[0])
    # The reference's scripts name an interval for the phases of Cityscapes; on VOC its default of 500 holds.
    assert loop == {
        'type': 'IterBasedTrainLoop',
        'max_iters': row.warm_up + 5 * row.per_phase,
        'val_interval': row.val_interval,
        'dynamic_intervals': [[row.warm_up, 500 if row.name.startswith('voc') else 300]],
    }
    assert config.train_dataloader.dataset.lists == f'{folder}/{row.lists}'


@each_row
def test_peers_and_loss(row):
    config = load('dmt', row.name)
    peers = list(config.model.peers.values())
    assert [preprocessing(peer) for peer in peers] == list(row.peers)
    for peer, kind in zip(peers, row.peers, strict=True):
        check_network(peer, row.name)
        weights = 'pretrain/resnet101_coco_mmseg.pth' if kind is COCO else 'torchvision://resnet101'
        assert peer.backbone.init_cfg.checkpoint == weights
    loss = config.model.loss
    assert (loss.gamma_agree, loss.gamma_disagree, loss.get('rule', 'mutual')) == (row.gamma, row.gamma, 'mutual')


@each_row
def test_labels_alone_are_the_warm_up_by_one_option(row):
    config = load('dmt', row.name)
    config.merge_from_dict({'custom_hooks.0.ratios': []})
    (phase,), loop = run_of(config)
    assert phase['iters'] == loop['max_iters'] == row.warm_up
    assert (phase['labeled'], 'pseudo' in phase) == (8, False)
    if row.name in SUPERVISED:
        config, whole = load('supervised', row.name), load('dmt', row.name)
        assert run_of(config)[0] == run_of(whole)[0][:1]
        assert all(config[key] == whole[key] for key in whole if key != 'custom_hooks')


@pytest.mark.parametrize(('name', 'iters', 'lr', 'classes'), ORACLES)
def test_oracles_are_ordinary_segmentors_on_all_labels(name, iters, lr, classes):
    config = load('oracle', name)
    assert config.model.type == 'EncoderDecoder'
    check_network(config.model, name)
    assert preprocessing(config.model) == COCO
    assert config.train_cfg.max_iters == config.param_scheduler[0].end == iters
    if name.startswith('voc'):
        assert config.train_cfg.val_interval == 500
    check_optimization(config, lr)
    assert config.optim_wrapper.constructor == 'DefaultOptimWrapperConstructor'
    assert config.train_dataloader.batch_size == 8
    assert 'batch_sampler' not in config.train_dataloader
    assert config.val_evaluator == config.test_evaluator == {'type': 'IoUMetric', 'iou_metrics': ['mIoU']}


@pytest.mark.parametrize(
    ('name', 'peers', 'loss'),
    [
        ('cbst', [COCO], {'gamma_agree': 0.0, 'gamma_disagree': 0.0}),
        ('dst', [COCO], {'gamma_agree': 5.0, 'gamma_disagree': 5.0}),
        ('online-self-training', [COCO], {'gamma_agree': 0.0, 'gamma_disagree': 0.0, 'average_over': 'kept'}),
        ('dmt-naive', [COCO, COCO], {'rule': 'naive', 'gamma_agree': 5.0}),
        ('dmt-flip', [COCO, COCO], {'rule': 'flip', 'gamma_agree': 5.0, 'gamma_disagree': 5.0}),
        ('dmt-dms', [COCO, COCO], {'gamma_agree': 5.0, 'gamma_disagree': 5.0}),
    ],
)
def test_published_ablations_are_of_1_50_and_split_id_2(name, peers, loss):
    config = load(name, 'voc12aug-1of50-split2-321x321')
    whole = load('dmt', 'voc12aug-1of50-321x321')
    assert [preprocessing(peer) for peer in config.model.peers.values()] == peers
    assert loss.items() <= {**whole.model.loss, **config.model.loss}.items()
    assert config.train_dataloader.dataset.lists == 'splits/voc12aug/split2/{}_1of50.txt'
    # Difference-maximized sampling with two peers; one peer has all 211 labels.
    sides = {side: f'splits/voc12aug/split2/dms_{side}_1of50.txt' for side in ('left', 'right')}
    (warm_up, *phases), loop = run_of(config)
    assert warm_up.get('labeled_lists') == (sides if len(peers) == 2 else None)
    assert loop == run_of(whole)[1]
    assert {phase['lr_factor'] for phase in phases} == {0.5}
    assert warm_up['iters'] == 3618
    assert config.optim_wrapper == whole.optim_wrapper


@pytest.mark.parametrize('name', SUPERVISED)
def test_heads_start_as_torch_starts_a_convolution(name):
    coco, imagenet = (peer.decode_head for peer in load('dmt', name).model.peers.values())
    assert imagenet.init_cfg == []
    if name.startswith('voc'):
        assert (coco.init_cfg.type, coco.init_cfg.prefix) == ('Pretrained', 'decode_head.')
    else:
        assert coco.init_cfg == []


@pytest.mark.whole_run
def test_the_lists_are_those_that_make_splits_writes():
    """Whatever list a config names is one that the tool makes of the whole data set."""
    made = {'voc12aug/sbd/labeled.txt', 'voc12aug/sbd/unlabeled.txt'}
    for name, size in (('voc12aug', 10582), ('cityscapes', 2975)):
        parts = published_splits.published_splits(
            (f'{n:05d}' for n in range(size)), published_splits.PUBLISHED_DENOMINATORS[name]
        )
        made |= {f'{name}/{file}' for file in published_splits.with_parts(parts)}
    known = json.loads((ROOT / 'mmdmt' / 'preparation' / 'known_lists.json').read_text())
    made |= {f'{name}/{file}' for name, files in known.items() for file in files}
    used = {f'splits/{lists.format("labeled")}' for named in LISTS.values() for _, lists in named.values()}
    for folder in ('voc', 'cityscapes'):
        for path in (ROOT / 'configs' / folder).glob('*of*.py'):
            config = Config.fromfile(path)
            used |= {config.train_dataloader.dataset.lists.format(part) for part in ('labeled', 'unlabeled')}
            used |= set((config.custom_hooks[0].get('warm_up_lists') or {}).values())
    assert len(used) >= 16
    assert {file.removeprefix('splits/') for file in used} <= made

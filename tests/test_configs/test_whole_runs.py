"""Configs of all data sets from warm-up to test, with tiny networks, by MMSegmentation's own scripts."""

import json
import shutil

import pytest
from mmengine.runner import Runner
from test_data_of_configs import CAMVID, CONFIGS, HALF, KVASIR, TO_CITY, VOC
from toys.camvid import make_camvid
from toys.forked import python
from toys.tools import run_tool
from toys.voc_and_cityscapes import make_cityscapes, make_kvasir, make_sources, make_voc

from mmdmt.config_table import compose
from mmdmt.scripts import toolbox_script

pytestmark = pytest.mark.whole_run

BOTH_SCRIPTS = """
import pathlib, runpy, sys
train, test, config, *options = sys.argv[1:]
sys.argv = [train, config, '--work-dir', 'work', *options]
runpy.run_path(train, run_name='__main__')
last = pathlib.Path('work/last_checkpoint').read_text()
sys.argv = [test, config, last, '--work-dir', 'work/test', *options]
runpy.run_path(test, run_name='__main__')
"""
HOOK, DATA = 'custom_hooks.0.', 'train_dataloader.dataset.'
NO_WORKERS = {'train_dataloader.num_workers': 0} | {
    f'{part}_dataloader.{option}': value
    for part in ('val', 'test')
    for option, value in {'num_workers': 0, 'persistent_workers': False}.items()
}
SHORT = NO_WORKERS | {
    'train_cfg.val_interval': 7,
    f'{HOOK}warm_up': 2,
    f'{HOOK}iters': 1,
    f'{HOOK}labeling.num_workers': 0,
    'default_hooks.logger.interval': 1,
    'default_hooks.checkpoint.interval': 7,
}
SMALL_BATCH = {'train_dataloader.batch_size': 2, f'{HOOK}labeled': 1, f'{HOOK}pseudo': 1}


def of(names, options, place='model.peers.'):
    """Give options to each peer."""
    return {f'{place}{name}.{option}': value for name in names for option, value in options.items()}


def cropped(size, names, **steps):
    """Make the crops of peers smaller, and those of the transforms that cut them, by their places in pipelines."""
    steps = {f'{DATA}{part}.pipeline.{step}.crop_size': size for part, step in steps.items()}
    return of(names, {'data_preprocessor.size': size}) | steps


def scaled(size, *places):
    return {f'{place}.scale': size for place in places}


# Tiny networks with no weights to load, and images of about the size of those of the test.
HALVED = [f'{DATA}labeled.pipeline.2', f'{DATA}unlabeled.pipeline.1']
HALVED += [f'{part}_dataloader.dataset.pipeline.2' for part in ('val', 'test')]
R18 = {'backbone.depth': 18, 'backbone.stem_channels': 4, 'backbone.base_channels': 4}
DEEPLABV2 = R18 | {'backbone.init_cfg': None, 'decode_head.in_channels': 32, 'decode_head.init_cfg': None}
DEEPLABV3PLUS = R18 | {
    'pretrained': None,
    'backbone.norm_cfg.type': 'BN',
    **dict.fromkeys(('decode_head.norm_cfg.type', 'auxiliary_head.norm_cfg.type'), 'BN'),
    'decode_head.in_channels': 32,
    'decode_head.c1_in_channels': 4,
    **dict.fromkeys(('decode_head.channels', 'auxiliary_head.channels'), 8),
    'decode_head.c1_channels': 4,
    'auxiliary_head.in_channels': 16,
}
SEGFORMER = {
    'backbone.embed_dims': 4,
    'backbone.init_cfg': None,
    'decode_head.in_channels': [4, 8, 20, 32],
    'decode_head.channels': 8,
    'decode_head.norm_cfg.type': 'BN',
}
COCO, LEFT, MIXED = ('coco', 'imagenet'), ('left', 'right'), ('deeplab', 'segformer')
UNLIKE = of(['deeplab'], DEEPLABV3PLUS) | of(['segformer'], SEGFORMER) | SMALL_BATCH


def of_voc(names):
    padded = {'data_preprocessor.test_cfg.size': (49, 49)}
    return of(names, DEEPLABV2 | padded) | cropped((41, 41), names, labeled=3)


OF_HALF = of(COCO, DEEPLABV2) | cropped((32, 64), COCO, labeled=4, unlabeled=4) | scaled((128, 64), *HALVED)
OF_GTA = UNLIKE | cropped((64, 64), MIXED, labeled=3, unlabeled=3) | scaled((160, 90), HALVED[0])
OF_GTA |= scaled((128, 64), HALVED[1], *(f'{part}_dataloader.dataset.pipeline.1' for part in ('val', 'test')))
OF_KVASIR = UNLIKE | cropped((64, 64), MIXED, labeled=4, unlabeled=4) | scaled((64, 64), *HALVED[:2])
LITE = ('lite0', 'lite1')
OF_CAMVID = cropped((64, 64), LITE, labeled=3) | {'custom_hooks.1.images': 1, 'custom_hooks.1.val_images': 1}
R101 = SMALL_BATCH | cropped((65, 65), LEFT, labeled=3) | of(LEFT, DEEPLABV3PLUS)
PYRAMID = {'decode_head.in_channels': [16] * 4, 'decode_head.channels': 8, 'decode_head.norm_cfg.type': 'BN'}
VIT = {'backbone.arch.embed_dims': 16, 'backbone.arch.num_heads': 2, 'backbone.arch.feedforward_channels': 16}
DINOV2 = SMALL_BATCH | cropped((56, 56), ('upernet', 'dpt'), labeled=3)
DINOV2 |= of(('upernet', 'dpt'), {**VIT, **PYRAMID, 'backbone.init_cfg': None})
DINOV2 |= of(['upernet'], {'neck.embed_dim': 16, 'neck.norm_cfg.type': 'BN'})
DINOV2 |= of(['dpt'], {'decode_head.embed_dims': 16, 'decode_head.post_process_channels': [4, 4, 8, 8]})
DINOV3 = SMALL_BATCH | cropped((64, 64), ('vit', 'convnext'), labeled=3) | scaled((96, 48), HALVED[0])
SLIDE = {'test_cfg.crop_size': [32, 32], 'test_cfg.stride': [16, 16]}
HEAD = {'decode_head.channels': 8, 'decode_head.norm_cfg.type': 'BN'}
DINOV3 |= of(('vit', 'convnext'), {'backbone.init_cfg': None, **SLIDE, **HEAD})
DINOV3 |= of(['vit'], {'backbone.embed_dim': 16, 'backbone.num_heads': 1, 'decode_head.in_channels': [16] * 4})
DINOV3 |= of(['vit'], {'neck.embed_dim': 16, 'neck.norm_cfg.type': 'BN'})
DINOV3 |= of(['convnext'], {'backbone.dims': [8] * 4, 'backbone.depths': [1] * 4, 'decode_head.in_channels': [8] * 4})


def make_few_of_camvid(root):
    """CamVid with few unlabeled images."""
    make_camvid(root)
    (unlabeled,) = (root / 'splits').rglob('split0/unlabeled_30.txt')
    unlabeled.write_text('\n'.join(unlabeled.read_text().split()[:4]))


def make_unlabeled_target(root):
    """GTA5, and Cityscapes without labels to train on."""
    make_sources(root, labeled=2, unlabeled=3, val=1)
    shutil.rmtree(root / 'data' / 'cityscapes' / 'gtFine' / 'train')


def scores(entry):
    return {key: value for key, value in entry.items() if key.split('/')[-1].startswith(('mIoU', 'mDice'))}


def train(config, folder, options):
    """Train and test by the toolbox's scripts; the log's entries. The test's result is that of the last validation."""
    scripts = [toolbox_script(f'{verb}.py') for verb in ('train', 'test')]
    options = [f'{key}={str(value).replace(" ", "")}' for key, value in options.items()]
    result = python('-c', BOTH_SCRIPTS, *scripts, config, '--cfg-options', *options, cwd=folder)
    assert result.returncode == 0, result.stderr[-3000:]
    scalars = next((folder / 'work').glob('*/vis_data/scalars.json'))
    entries = [json.loads(line) for line in scalars.read_text().splitlines()]
    (tested,) = (folder / 'work' / 'test').glob('*/*.json')
    assert scores(json.loads(tested.read_text())) == scores(entries[-1]) != {}
    return entries


def few(make):
    return lambda root: make(root, unlabeled=3, val=1)


RUNS = {
    'voc': (few(make_voc), VOC.format('1of20'), COCO, of_voc(COCO)),
    'voc-dms': (few(make_voc), VOC.format('1of106'), LEFT, of_voc(LEFT)),
    'cityscapes-half': (few(make_cityscapes), HALF.format('1of8'), COCO, OF_HALF),
    'gta': (make_unlabeled_target, TO_CITY.format('gta'), MIXED, OF_GTA),
    'kvasir-seg': (make_kvasir, KVASIR, MIXED, OF_KVASIR),
    'camvid': (make_few_of_camvid, CAMVID, LITE, OF_CAMVID | SMALL_BATCH),
    'r101': (make_voc, 'dmt_deeplabv3plus-r101_1xb8_voc12aug-unimatch1of8-321x321', LEFT, R101),
    'dinov2': (make_voc, 'dmt_dinov2-s_1xb8_voc12aug-classic92-518x518', ('upernet', 'dpt'), DINOV2),
    'dinov3': (
        make_cityscapes,
        'dmt_dinov3-s_1xb8_cityscapes-unimatch1of16-768x768',
        ('vit', 'convnext'),
        DINOV3,
    ),
}


@pytest.mark.parametrize('run', RUNS)
def test_dmt_runs_whole_from_a_folder_of_data_and_lists(tmp_path, run):
    make, name, peers, options = RUNS[run]
    make(tmp_path)
    config = CONFIGS / name
    if not name.endswith('.py'):
        config = tmp_path / 'mine.py'
        config.write_text(run_tool('config.py', name, cwd=tmp_path)[1])
    before = sorted(tmp_path.rglob('*'))
    entries = train(config, tmp_path, SHORT | options)
    assert {f'{name}/mIoU' for name in (*peers, 'ensemble')} <= set(entries[-1])
    assert ('ensemble/mDice' in entries[-1]) == (run == 'kvasir-seg')
    trained = [entry for entry in entries if 'loss' in entry]
    assert len(trained) == 7
    assert all(f'{peer}.mean_weight' in trained[-1] for peer in peers)
    # Nothing but the work folder is written to.
    after = sorted(path for path in tmp_path.rglob('*') if tmp_path / 'work' not in (path, *path.parents))
    assert after == before


def test_the_oracle_runs_as_an_ordinary_config(tmp_path):
    make_voc(tmp_path, unlabeled=0)
    lengths = {'train_cfg.max_iters': 2, 'train_cfg.val_interval': 2, 'param_scheduler.0.end': 2}
    loader = {'train_dataloader.persistent_workers': False, 'train_dataloader.batch_size': 2}
    options = NO_WORKERS | lengths | loader | {'default_hooks.logger.interval': 1} | of(['model'], DEEPLABV2, '')
    config = CONFIGS / 'voc' / 'oracle_deeplabv2-r101_1xb8_voc12aug-all-321x321.py'
    assert 'mIoU' in train(config, tmp_path, options)[-1]


def test_the_recipe_trains_on_labels_of_averages(tmp_path, monkeypatch):
    make_cityscapes(tmp_path, unlabeled=3, val=1)
    monkeypatch.chdir(tmp_path)
    config = compose('dmt-recipe_dinov3-s_1xb8_cityscapes-unimatch1of16-768x768')
    lengths = {'train_dataloader.batch_size': 3, f'{HOOK}warm_up': 1, f'{HOOK}iters': 2, f'{HOOK}pseudo': 2}
    config.merge_from_dict(SHORT | DINOV3 | lengths | {'train_cfg.val_interval': 3})
    config.update(work_dir=str(tmp_path / 'work'), experiment_name=tmp_path.name)
    runner = Runner.from_cfg(config)
    runner.train()
    assert runner.iter == 3
    averages = next(hook for hook in runner.hooks if type(hook).__name__ == 'EMAHook').ema_model
    assert int(averages.steps) == 3
    assert not list((tmp_path / 'work').rglob('manifest*'))  # no bank

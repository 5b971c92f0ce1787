"""The configs of VOC and Cityscapes from warm-up to test, with tiny networks, by MMSegmentation's own scripts."""

import json

import pytest
from test_data_of_configs import CONFIGS, HALF, VOC
from toys.forked import python
from toys.voc_and_cityscapes import make_cityscapes, make_voc

from mmdmt.scripts import toolbox_script

pytestmark = pytest.mark.whole_run

SHORT = [
    'train_cfg.val_interval=7',
    'custom_hooks.0.warm_up=2',
    'custom_hooks.0.iters=1',
    'custom_hooks.0.labeling.num_workers=0',
    'default_hooks.logger.interval=1',
    'default_hooks.checkpoint.interval=7',
    'train_dataloader.num_workers=0',
    *(
        f'{part}_dataloader.{option}'
        for part in ('val', 'test')
        for option in ('num_workers=0', 'persistent_workers=False')
    ),
]
BOTH_SCRIPTS = """
import pathlib, runpy, sys
train, test, config, *options = sys.argv[1:]
sys.argv = [train, config, '--work-dir', 'work', *options]
runpy.run_path(train, run_name='__main__')
last = pathlib.Path('work/last_checkpoint').read_text()
sys.argv = [test, config, last, '--work-dir', 'work/test', *options]
runpy.run_path(test, run_name='__main__')
"""


def tiny(*peers, place='model.peers.'):
    """Options that make tiny networks of the paper's, with no weights to load."""
    return [
        f'{place}{peer}{option}'
        for peer in peers
        for option in (
            '.backbone.depth=18',
            '.backbone.stem_channels=4',
            '.backbone.base_channels=4',
            '.backbone.init_cfg=None',
            '.decode_head.in_channels=32',
            '.decode_head.init_cfg=None',
        )
    ]


def crops(size, *peers, **steps):
    """Options that make crops smaller: those of the peers and, by their places in a pipeline, the ones that cut them.

    ``labeled=3`` is that in the pipeline of labeled images, ``labeled_datasets_0=3`` in that of the first of several.
    """
    return [
        *(f'model.peers.{peer}.data_preprocessor.size={size}' for peer in peers),
        *(f'{train_step(part, step)}.crop_size={size}' for part, step in steps.items()),
    ]


def train_step(part, step):
    return f'train_dataloader.dataset.{part.replace("_", ".")}.pipeline.{step}'


def train(config, folder, *options):
    """Train and test by the toolbox's scripts; the log's entries. The test's result is that of the last validation."""
    scripts = [toolbox_script(f'{verb}.py') for verb in ('train', 'test')]
    result = python('-c', BOTH_SCRIPTS, *scripts, CONFIGS / config, '--cfg-options', *options, cwd=folder)
    assert result.returncode == 0, result.stderr[-3000:]
    scalars = next((folder / 'work').glob('*/vis_data/scalars.json'))
    entries = [json.loads(line) for line in scalars.read_text().splitlines()]
    (tested,) = (folder / 'work' / 'test').glob('*/*.json')
    assert scores(json.loads(tested.read_text())) == scores(entries[-1]) != {}
    return entries


def small_voc(*peers):
    """Options that make crops and validation images of VOC about as small as the images of the test."""
    padded = [f'model.peers.{peer}.data_preprocessor.test_cfg.size=(49,49)' for peer in peers]
    return [*crops('(41,41)', *peers, labeled=3), *padded]


def small_half(*peers):
    """Options that make images and crops of Cityscapes an eighth as wide as at half resolution."""
    scales = [train_step('labeled', 2), train_step('unlabeled', 1)]
    scales += [f'{part}_dataloader.dataset.pipeline.2' for part in ('val', 'test')]
    return [*crops('(32,64)', *peers, labeled=4, unlabeled=4), *(f'{place}.scale=(128,64)' for place in scales)]


def scores(entry):
    return {key: value for key, value in entry.items() if key.split('/')[-1].startswith(('mIoU', 'mDice'))}


@pytest.mark.parametrize(
    ('make', 'config', 'peers', 'small'),
    [
        pytest.param(make_voc, VOC.format('1of20'), ('coco', 'imagenet'), small_voc, id='voc'),
        pytest.param(make_voc, VOC.format('1of106'), ('left', 'right'), small_voc, id='voc-dms'),
        pytest.param(make_cityscapes, HALF.format('1of8'), ('coco', 'imagenet'), small_half, id='cityscapes-half'),
    ],
)
def test_dmt_runs_whole_from_a_folder_of_data_and_lists(tmp_path, make, config, peers, small):
    make(tmp_path, unlabeled=3, val=1)
    before = sorted(path for path in tmp_path.rglob('*'))
    entries = train(config, tmp_path, *SHORT, *tiny(*peers), *small(*peers))
    last = entries[-1]
    assert {'ensemble/mIoU', *(f'{peer}/mIoU' for peer in peers)} <= set(last)
    trained = [entry for entry in entries if 'loss' in entry]
    assert len(trained) == 7
    assert all(f'{peer}.mean_weight' in trained[-1] for peer in peers)
    # Nothing but the work folder is written to.
    after = sorted(path for path in tmp_path.rglob('*') if tmp_path / 'work' not in (path, *path.parents))
    assert after == before


def test_the_oracle_runs_as_an_ordinary_config(tmp_path):
    make_voc(tmp_path, unlabeled=0)
    options = [
        'train_cfg.max_iters=2',
        'train_cfg.val_interval=2',
        'param_scheduler.0.end=2',
        'default_hooks.logger.interval=1',
        'train_dataloader.num_workers=0',
        'train_dataloader.persistent_workers=False',
        'train_dataloader.batch_size=2',
        *SHORT[-4:],
    ]
    config = 'voc/oracle_deeplabv2-r101_1xb8_voc12aug-all-321x321.py'
    entries = train(config, tmp_path, *options, *tiny('model', place=''))
    assert 'mIoU' in entries[-1]

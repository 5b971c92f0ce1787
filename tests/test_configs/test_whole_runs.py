"""The configs of VOC and Cityscapes from warm-up to test, with tiny networks, by MMSegmentation's own scripts."""

import json
import os
import subprocess
import sys

import pytest
from test_data_of_configs import CONFIGS, HALF, VOC
from toys.voc_and_cityscapes import make_cityscapes, make_voc

from mmdmt.apis import toolbox_script

pytestmark = pytest.mark.whole_run

SHORT = [
    'train_cfg.max_iters=7',
    'train_cfg.val_interval=7',
    'custom_hooks.0.phases.0.iters=2',
    *(f'custom_hooks.0.phases.{phase}.iters=1' for phase in range(1, 6)),
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
# One process for both scripts: most of the time goes into importing what they need.
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


def train(config, folder, *options):
    """Train and test by the toolbox's scripts; the log's entries. The test's result is that of the last validation."""
    scripts = [toolbox_script(f'{verb}.py') for verb in ('train', 'test')]
    command = [sys.executable, '-c', BOTH_SCRIPTS, *map(str, scripts), str(CONFIGS / config)]
    result = subprocess.run(
        [*command, '--cfg-options', *options],
        cwd=folder,
        env={**os.environ, 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    scalars = next((folder / 'work').glob('*/vis_data/scalars.json'))
    entries = [json.loads(line) for line in scalars.read_text().splitlines()]
    (tested,) = (folder / 'work' / 'test').glob('*/*.json')
    assert scores(json.loads(tested.read_text())) == scores(entries[-1]) != {}
    return entries


def scores(entry):
    return {key: value for key, value in entry.items() if key.split('/')[-1].startswith(('mIoU', 'mDice'))}


@pytest.mark.parametrize(
    ('make', 'config', 'peers'),
    [
        pytest.param(make_voc, VOC.format('1of20'), ('coco', 'imagenet'), id='voc'),
        pytest.param(make_voc, VOC.format('1of106'), ('left', 'right'), id='voc-dms'),
        pytest.param(make_cityscapes, HALF.format('1of8'), ('coco', 'imagenet'), id='cityscapes-half'),
    ],
)
def test_dmt_runs_whole_from_a_folder_of_data_and_lists(tmp_path, make, config, peers):
    make(tmp_path, unlabeled=3, val=1)
    before = sorted(path for path in tmp_path.rglob('*'))
    entries = train(config, tmp_path, *SHORT, *tiny(*peers))
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
    config = 'supervised/oracle_deeplabv2-r101_1xb8_voc12aug-all-321x321.py'
    entries = train(config, tmp_path, *options, *tiny('model', place=''))
    assert 'mIoU' in entries[-1]

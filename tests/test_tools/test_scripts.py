"""MMSegmentation's own scripts, unmodified, and ours, as a user runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from toys.checkpoints import take_back
from toys.digit_scenes import NARROW
from toys.forked import python

import mmdmt
from mmdmt.scripts import toolbox_script

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
CONFIG = str(ROOT / 'configs' / 'digits' / 'dmt_unet-resnet_1xb8_digit-scenes.py')
SHORT = [
    'train_cfg.val_interval=7',
    'default_hooks.checkpoint.interval=1',
    'default_hooks.checkpoint.max_keep_ckpts=-1',
    'default_hooks.logger.interval=1',
    'custom_hooks.0.warm_up=2',
    'custom_hooks.0.iters=1',
    'train_dataloader.dataset.unlabeled.num_scenes=12',
    'val_dataloader.dataset.num_scenes=4',
    'test_dataloader.dataset.num_scenes=4',
    *NARROW,
]


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A short run of the demo config by the toolbox's own script, from a folder that knows nothing of us."""
    work_dir = tmp_path_factory.mktemp('trained')
    result = python(toolbox_script('train.py'), CONFIG, '--work-dir', work_dir, '--cfg-options', *SHORT, cwd=work_dir)
    assert result.returncode == 0, result.stderr[-3000:]
    return work_dir


def last_validation(work_dir):
    path = sorted(work_dir.glob('*/vis_data/scalars.json'))[-1]
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    return [entry for entry in entries if 'ensemble/mIoU' in entry][-1]


def test_the_toolboxes_train_script_runs_all_phases(trained):
    assert {path.name for path in trained.glob('iter_*.pth')} == {f'iter_{n}.pth' for n in range(1, 8)}
    log = next(trained.glob('*/*.log')).read_text()
    for phase in range(6):
        assert f'Phase {phase} ({phase + 1} of 6)' in log
    assert {'unet/mIoU', 'resnet/mIoU', 'ensemble/mIoU'} <= set(last_validation(trained))


def test_the_toolboxes_train_script_resumes(trained, tmp_path):
    take_back(trained, 2, tmp_path)
    options = ('--resume', '--work-dir', tmp_path, '--cfg-options', *SHORT, 'default_hooks.checkpoint.interval=7')
    result = python(toolbox_script('train.py'), CONFIG, *options, cwd=tmp_path)
    assert result.returncode == 0, result.stderr[-3000:]
    expected, got = (torch.load(folder / 'iter_7.pth')['state_dict'] for folder in (trained, tmp_path))
    assert all(value.equal(got[key]) for key, value in expected.items())


@pytest.mark.parametrize('script', [toolbox_script('test.py'), ROOT / 'tools' / 'test.py'], ids=['theirs', 'ours'])
def test_the_test_script_gives_the_last_validations_result(trained, tmp_path, script):
    checkpoint = str(trained / 'iter_7.pth')
    result = python(script, CONFIG, checkpoint, '--work-dir', str(tmp_path), '--cfg-options', *SHORT, cwd=tmp_path)
    assert result.returncode == 0, result.stderr[-3000:]
    scores = json.loads(next(tmp_path.glob('*/*.json')).read_text())
    validation = last_validation(trained)
    for key in ('unet/mIoU', 'resnet/mIoU', 'ensemble/mIoU'):
        assert scores[key] == validation[key]


def test_an_installed_config_trains_without_a_checkout(tmp_path):
    installed = Path(mmdmt.__file__).parent / '.mim'
    (tmp_path / 'mine.py').write_text(
        f"_base_ = '{installed}/configs/digits/supervised_unet-resnet_1xb8_digit-scenes.py'\n"
        "custom_hooks = [dict(type='mmdmt.DMTHook', phases=[dict(iters=1, labeled=8)])]\n"
        'val_dataloader = dict(dataset=dict(num_scenes=2))\n'
    )
    # As a user does it; the other commands are forked from a process that has imported what they need.
    command = [sys.executable, '-m', 'mmdmt', 'train', 'mine.py']
    environment = {**os.environ, 'OMP_NUM_THREADS': '1'}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr[-3000:]
    assert 'ensemble/mIoU' in next(tmp_path.glob('work_dirs/mine/*/*.log')).read_text()
    result = python('-m', 'mmdmt', 'trian', cwd=tmp_path)
    assert "There is no script 'trian'" in result.stderr


SCRIPTS = [path for path in sorted((ROOT / 'tools').rglob('*.py')) if '__main__' in path.read_text()]


def test_a_help_imports_nothing_that_takes_seconds(tmp_path):
    code = (
        'import runpy, sys\n'
        'for script in sys.argv[1:]:\n'
        '    sys.argv, path = [script, "--help"], sys.path[:]\n'
        '    sys.path.insert(0, script.rpartition("/")[0])\n'
        '    try:\n'
        '        runpy.run_path(script, run_name="__main__")\n'
        '    except SystemExit as end:\n'
        '        assert not end.code, script\n'
        '    sys.path = path\n'
        '    slow = {"torch", "mmengine", "matplotlib.pyplot"} & set(sys.modules)\n'
        '    assert not slow, f"{script} imports {slow}"\n'
    )
    scripts = [str(path) for path in SCRIPTS if 'benchmarks' not in path.parts]
    result = subprocess.run([sys.executable, '-c', code, *scripts], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-3000:]
    assert result.stdout.count('usage:') == len(scripts) > 10
    assert all(option in result.stdout for option in ('--resume', '--amp', '--cfg-options', '--launcher'))


def test_what_does_not_fit_ends_the_script_with_its_sentence(tmp_path):
    options = ('--work-dir', tmp_path, '--cfg-options', 'train_cfg.max_iters=1000')
    result = python(toolbox_script('train.py'), CONFIG, *options, cwd=tmp_path)
    assert result.returncode != 0
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith(
        'ValueError: The number of iterations is 1000 in train_cfg.max_iters, but 1500 in the phases'
    )


def test_the_version_and_the_scripts_are_told_and_each_is_run_by_name_without_a_checkout(tmp_path):
    assert python('-m', 'mmdmt', '--version', cwd=tmp_path).stdout == f'mmdmt {mmdmt.__version__}\n'
    lines = python('-m', 'mmdmt', '--help', cwd=tmp_path).stdout.splitlines()
    assert lines[0] == 'usage: python -m mmdmt SCRIPT [options of the script]'
    listed = dict(line.split(maxsplit=1) for line in lines[3:-2])
    assert {'train', 'test', 'dataset_converters/gta'} <= set(listed)
    assert listed['report'].startswith('Write a report of a run, finished or not, as one HTML file')
    for name in ('make_splits', 'compare', 'dataset_converters/gta'):  # the second imports a file beside it
        result = python('-m', 'mmdmt', name, '--help', cwd=tmp_path)
        assert result.returncode == 0, result.stderr[-3000:]
        assert f'usage: {Path(name).name}.py' in result.stdout

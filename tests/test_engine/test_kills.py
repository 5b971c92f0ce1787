"""A run that is killed at random moments, again and again, ends as one that never was."""

import os
import random
import signal
import subprocess
import sys

import torch
from conftest import run_config

from mmdmt.apis import toolbox_script

KILLS = int(os.environ.get('MMDMT_KILLS', '5'))


def start(config, *options):
    command = [sys.executable, str(toolbox_script('train.py')), str(config), *options]
    environment = {**os.environ, 'OMP_NUM_THREADS': '1'}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_a_run_that_is_killed_at_random_ends_with_the_same_weights(shapes_folder, tmp_path):
    settings = {
        'custom_imports': {'imports': ['mmdmt'], 'allow_failed_imports': False},
        'train_dataloader.num_workers': 1,
        'custom_hooks.0.labelling.num_workers': 1,
    }
    for name in ('whole', 'killed'):
        run_config(shapes_folder, tmp_path / name, **settings).dump(tmp_path / f'{name}.py')
    whole = start(tmp_path / 'whole.py')
    output, _ = whole.communicate(timeout=300)
    assert whole.returncode == 0, output[-3000:]
    # Kill after a random one of the lines that a run still to be finished prints: imports, labelling, iterations,
    # checkpoints and validation all have their share.
    first_line = next(n for n, line in enumerate(output.splitlines()) if 'Phase 0' in line)
    generator = random.Random(0)
    for _ in range(KILLS):
        run = start(tmp_path / 'killed.py', '--resume')
        lines = generator.randrange(first_line, first_line + 60)
        for number, _ in enumerate(run.stdout):
            if number >= lines:
                run.send_signal(signal.SIGKILL)
                break
        run.stdout.close()
        run.wait(timeout=300)
    run = start(tmp_path / 'killed.py', '--resume')
    output, _ = run.communicate(timeout=300)
    assert run.returncode == 0, output[-3000:]
    expected, got = (torch.load(tmp_path / name / 'iter_9.pth') for name in ('whole', 'killed'))
    for key, value in expected['state_dict'].items():
        assert value.equal(got['state_dict'][key]), key
    assert str(expected['optimizer']) == str(got['optimizer'])

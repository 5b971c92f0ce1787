"""A run that is killed, at a stage or at random, ends as one that never was."""

import os
import random
import shutil
import time

import pytest
import torch
from toys.outcomes import differences, outcome
from toys.stages import Forge, Kill, Note, write_config

pytestmark = pytest.mark.kill

KILLS = int(os.environ.get('MMDMT_KILLS', '5'))


@pytest.fixture(scope='module')
def forge():
    return Forge()


@pytest.fixture(scope='module')
def whole(shapes_folder, tmp_path_factory, forge):
    """The outcome of a run that nothing happened to, and how many seconds it took from its first update on."""
    work_dir = tmp_path_factory.mktemp('kills') / 'whole'
    config = write_config(shapes_folder, work_dir)
    note = work_dir.parent / 'note'
    process = forge.start(config, event=Note(note))
    while not note.is_file() and process.is_alive():
        process.join(0.01)
    start = time.monotonic()
    process.join(300)
    seconds = time.monotonic() - start
    assert process.exitcode == 0, config.with_suffix('.log').read_text()[-3000:]
    expected = outcome(work_dir)
    optimizer = torch.load(work_dir / 'iter_8.pth')['optimizer']['left']
    assert optimizer['loss_scaler']['scale'] == 8.0  # there is something to lose: it has grown since the phase began
    assert expected['ema_state_dict']
    assert expected['best']['best_ckpt'] in expected['best_files']
    assert set(expected['validations']) == {3, 6, 9}
    return expected, seconds


# The n-th time: two updates an iteration, ten images labeled a phase, and checkpoints 1, 2, 3 at the phase's start, 3
# as every iteration, the best of the validation after 3, and 3 once more, as MMEngine does to remember the best.
@pytest.mark.parametrize(
    ('stage', 'moment', 'workers', 'resumed_from'),
    [
        ('warm-up', Kill('training', 4), 0, 1),
        ('mid-phase', Kill('training', 10), 2, 4),
        ('labeling', Kill('labeling', 7), 0, 3),
        ('the labels are there, their manifest is not', Kill('bank', 3), 0, 3),
        ('between phases', Kill('between phases', 1), 1, 3),
        ('a checkpoint is half-written', Kill('checkpoint', 2), 0, 1),
        ('the best checkpoint is half-written', Kill('checkpoint', 5), 0, 3),
        ('the last checkpoint is half-written when it is written again', Kill('checkpoint', 6), 0, 2),
        ('a checkpoint is being named', Kill('naming', 2), 0, 2),
        ('validation', Kill('validation', 6), 0, 6),
        ('the last validation', Kill('validation', 10), 0, 9),
    ],
    ids=lambda value: value.replace(' ', '_') if isinstance(value, str) else '',
)
def test_a_run_killed_at_a_stage_ends_with_the_same_bits(
    whole, shapes_folder, tmp_path, forge, stage, moment, workers, resumed_from
):
    work_dir = tmp_path / 'killed'
    config = write_config(shapes_folder, work_dir)
    code, output = forge.run(config, event=moment)
    assert code == -9, output[-3000:]
    workers = [f'train_dataloader.num_workers={workers}', f'custom_hooks.0.labeling.num_workers={workers}']
    code, output = forge.run(config, '--resume', '--cfg-options', *workers)
    assert code == 0, output[-3000:]
    assert f'resumed epoch: 0, iter: {resumed_from}\n' in output
    assert ('the last good checkpoint.' in output) == (moment in (Kill('checkpoint', 6), Kill('naming', 2)))
    assert not list(differences(whole[0], outcome(work_dir)))


def test_a_run_killed_at_random_moments_ends_with_the_same_bits(whole, shapes_folder, tmp_path, forge, capsys):
    expected, seconds = whole
    generator = random.Random(0)
    config, note, work_dir = write_config(shapes_folder, tmp_path / 'killed'), tmp_path / 'note', tmp_path / 'killed'
    rows = ['kill | run | at iteration | while | resumed from | result']
    run, open_rows = 1, []

    def finish(code, output):
        nonlocal run
        assert code == 0, output[-3000:]
        found = list(differences(expected, outcome(work_dir)))
        rows.extend(f'{row} | {"differs" if found else "equal to the bit"}' for row in open_rows)
        shutil.rmtree(work_dir)
        open_rows.clear()
        run += 1
        return found

    found, kill = [], 0
    while kill < KILLS:
        note.write_text('0 starting')
        pointer = work_dir / 'last_checkpoint'
        resumed_from = pointer.read_text().rpartition('/')[2] if pointer.is_file() else 'the start'
        process = forge.start(config, '--resume', event=Note(note))
        while note.read_text() == '0 starting' and process.is_alive():
            process.join(0.01)
        process.join(generator.uniform(0, seconds))
        if process.exitcode is None:
            process.kill()
            process.join()
            kill += 1
            iteration, stage = note.read_text().split(' ', 1)
            open_rows.append(f'{kill} | {run} | {iteration} | {stage} | {resumed_from or "an unnamed checkpoint"}')
        else:
            found += finish(process.exitcode, config.with_suffix('.log').read_text())
    found += finish(*forge.run(config, '--resume'))
    table = '\n'.join(rows)
    (tmp_path / 'kills.txt').write_text(table + '\n')
    with capsys.disabled():
        print(f'\n{table}\n')
    assert len(rows) == KILLS + 1
    assert not found

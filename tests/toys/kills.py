"""Runs that are killed again and again, and what they come to."""

import random
import shutil
import time

import torch

from toys.outcomes import differences, outcome
from toys.stages import Note


def uninterrupted(forge, config, work_dir):
    """The outcome of a run that nothing happens to, and how many seconds it takes from its first update on."""
    note = work_dir.parent / f'{work_dir.name}.note'
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


def killed_and_resumed(forge, config, moment, workers, resumed_from):
    """Kill a run at a moment, and resume it with so many workers of each kind; return what it has printed then."""
    code, output = forge.run(config, event=moment)
    assert code == -9, output[-3000:]
    settings = [f'train_dataloader.num_workers={workers}', f'custom_hooks.0.labeling.num_workers={workers}']
    code, output = forge.run(config, '--resume', '--cfg-options', *settings)
    assert code == 0, output[-3000:]
    assert f'resumed epoch: 0, iter: {resumed_from}\n' in output
    return output


def killed_at_random(forge, config, work_dir, expected, seconds, kills):
    """Kill runs at random moments and resume them; return the rows of a table, and where any ended differently."""
    generator = random.Random(0)
    note = work_dir.parent / f'{work_dir.name}.note'
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
    while kill < kills:
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
    return rows, found

"""A run that is killed, at a stage or at random, ends as one that never was."""

import os

import pytest
from toys.kills import killed_and_resumed, killed_at_random, uninterrupted
from toys.outcomes import differences, outcome
from toys.stages import Kill, write_config

pytestmark = pytest.mark.kill

KILLS = int(os.environ.get('MMDMT_KILLS', '5'))


@pytest.fixture(scope='module')
def whole(shapes_folder, tmp_path_factory, forge):
    """The outcome of a run that nothing happens to, and its seconds."""
    work_dir = tmp_path_factory.mktemp('kills') / 'whole'
    return uninterrupted(forge, write_config(shapes_folder, work_dir), work_dir)


# The n-th time: two updates an iteration, ten images labeled a phase, and checkpoints 1, 2, 3 at the phase's start, 3
# as every iteration, the best of the validation after 3, and 3 once more, as MMEngine does to remember the best.
@pytest.mark.parametrize(
    ('stage', 'moment', 'workers', 'resumed_from'),
    [
        ('warm-up', Kill('training', 4), 0, 1),
        ('mid-phase', Kill('training', 10), 2, 4),
        ('labeling', Kill('labeling', 7), 0, 3),
        ('the labels are there, their manifest is not', Kill('bank', 1), 0, 3),
        ('between phases', Kill('between phases', 1), 1, 3),
        ('a checkpoint is half-written', Kill('checkpoint', 2), 0, 1),
        ('the best checkpoint is half-written', Kill('checkpoint', 5), 0, 3),
        ('the last checkpoint is half-written when it is written again', Kill('checkpoint', 6), 0, 2),
        ('a checkpoint is written, but not noted', Kill('noting', 2), 0, 1),
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
    output = killed_and_resumed(forge, config, moment, workers, resumed_from)
    assert ('the last good checkpoint.' in output) == (moment == Kill('checkpoint', 6))
    assert not list(differences(whole[0], outcome(work_dir)))


def test_a_run_killed_at_random_moments_ends_with_the_same_bits(whole, shapes_folder, tmp_path, forge, capsys):
    config = write_config(shapes_folder, tmp_path / 'killed')
    rows, found = killed_at_random(forge, config, tmp_path / 'killed', *whole, KILLS)
    table = '\n'.join(rows)
    (tmp_path / 'kills.txt').write_text(table + '\n')
    with capsys.disabled():
        print(f'\n{table}\n')
    assert len(rows) == KILLS + 1
    assert not found

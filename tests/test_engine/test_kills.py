"""A run that is killed, at a stage or at random, ends as one that never was."""

import os

import pytest
from toys.kills import killed_and_resumed, killed_at_random, uninterrupted
from toys.outcomes import differences, outcome
from toys.stages import Kill, write_config

pytestmark = pytest.mark.kill

SETTINGS = {
    'banks': {},
    # From a warm-up to labels of averages in the iteration, and from there to those of a bank.
    'online': {
        'custom_hooks.0.phases': [
            {'iters': 3, 'labeled': 4},
            {'iters': 3, 'labeled': 2, 'pseudo': 2, 'online': {'labeler': 'average', 'min_confidence': 0.35}},
            {'iters': 3, 'labeled': 1, 'pseudo': 3, 'label_ratio': 0.5},
        ],
        'train_dataloader.dataset.learner_view': [{'type': 'PhotoMetricDistortion'}],
        'model.mixes': [{'type': 'mmdmt.CutMix', 'prob': 1.0}, {'type': 'mmdmt.ClassMix'}],
        'optim_wrapper.type': 'CpuAmpOptimWrapper',
    },
}
# The n-th time: two updates an iteration, ten images labeled a phase, and checkpoints 1, 2, 3 at the phase's start, 3
# as every iteration, the best of the validation after 3, and 3 once more, as MMEngine does to remember the best.
# Online in the second three iterations two labelings; the rehearsal has labeled twice.
MOMENTS = [
    ('banks', 'warm-up', Kill('training', 4), 0, 1),
    ('banks', 'mid-phase', Kill('training', 10), 2, 4),
    ('banks', 'labeling', Kill('labeling', 7), 0, 3),
    ('banks', 'the labels are there, their manifest is not', Kill('bank', 1), 0, 3),
    ('banks', 'between phases', Kill('between phases', 1), 1, 3),
    ('banks', 'a checkpoint is half-written', Kill('checkpoint', 2), 0, 1),
    ('banks', 'the best checkpoint is half-written', Kill('checkpoint', 5), 0, 3),
    ('banks', 'the last checkpoint is half-written when it is written again', Kill('checkpoint', 6), 0, 2),
    ('banks', 'a checkpoint is written, but not noted', Kill('noting', 2), 0, 1),
    ('banks', 'a checkpoint is being named', Kill('naming', 2), 0, 2),
    ('banks', 'validation', Kill('validation', 6), 0, 6),
    ('banks', 'the last validation', Kill('validation', 10), 0, 9),
    ('online', 'before the first label', Kill('labeling online', 3), 1, 3),
    ('online', 'one peer has labels, the other none', Kill('labeling online', 6), 2, 4),
    ('online', 'one peer has learned, the other not', Kill('training', 10), 0, 4),
    ('online', 'between online labels and a bank', Kill('between phases', 2), 0, 6),
    ('online', 'a checkpoint is half-written', Kill('checkpoint', 8), 0, 4),
    ('online', 'validation', Kill('validation', 6), 0, 6),
]


@pytest.fixture(scope='module')
def whole(shapes_folder, tmp_path_factory, forge):
    """Of each kind the outcome of a run that nothing happens to, and its seconds."""
    done = {}

    def of(kind):
        if kind not in done:
            work_dir = tmp_path_factory.mktemp(kind) / 'whole'
            done[kind] = uninterrupted(forge, write_config(shapes_folder, work_dir, **SETTINGS[kind]), work_dir)
        return done[kind]

    return of


@pytest.mark.parametrize(
    ('kind', 'stage', 'moment', 'workers', 'resumed_from'),
    MOMENTS,
    ids=lambda value: value.replace(' ', '_') if isinstance(value, str) else '',
)
def test_a_run_killed_at_a_stage_ends_with_the_same_bits(
    whole, shapes_folder, tmp_path, forge, kind, stage, moment, workers, resumed_from
):
    work_dir = tmp_path / 'killed'
    config = write_config(shapes_folder, work_dir, **SETTINGS[kind])
    output = killed_and_resumed(forge, config, moment, workers, resumed_from)
    assert ('the last good checkpoint.' in output) == (moment == Kill('checkpoint', 6))
    assert not list(differences(whole(kind)[0], outcome(work_dir)))


@pytest.mark.parametrize(('kind', 'kills'), [('banks', '5'), ('online', '2')])
def test_a_run_killed_at_random_moments_ends_with_the_same_bits(
    whole, shapes_folder, tmp_path, forge, capsys, kind, kills
):
    kills = int(os.environ.get('MMDMT_KILLS', kills))
    config = write_config(shapes_folder, tmp_path / 'killed', **SETTINGS[kind])
    rows, found = killed_at_random(forge, config, tmp_path / 'killed', *whole(kind), kills)
    table = '\n'.join(rows)
    (tmp_path / 'kills.txt').write_text(table + '\n')
    with capsys.disabled():
        print(f'\n{table}\n')
    assert len(rows) == kills + 1
    assert not found

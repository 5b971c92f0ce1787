"""A run with online phases, mixes and mixed precision that is killed ends as one that never was."""

import os

import pytest
from toys.kills import killed_and_resumed, killed_at_random, uninterrupted
from toys.outcomes import differences, outcome
from toys.stages import Kill, write_config

pytestmark = pytest.mark.kill

KILLS = int(os.environ.get('MMDMT_KILLS', '2'))
AVERAGE = {'labeler': 'average', 'min_confidence': 0.35}
SETTINGS = {
    # From a warm-up to labels of averages in the iteration, and from there to those of a bank.
    'custom_hooks.0.phases': [
        {'iters': 3, 'labeled': 4},
        {'iters': 3, 'labeled': 2, 'pseudo': 2, 'online': AVERAGE},
        {'iters': 3, 'labeled': 1, 'pseudo': 3, 'label_ratio': 0.5},
    ],
    'train_dataloader.dataset.learner_view': [{'type': 'PhotoMetricDistortion'}],
    'model.mixes': [{'type': 'mmdmt.CutMix', 'prob': 1.0}, {'type': 'mmdmt.ClassMix'}],
    'optim_wrapper.type': 'CpuAmpOptimWrapper',
}


@pytest.fixture(scope='module')
def whole(shapes_folder, tmp_path_factory, forge):
    """The outcome of a run that nothing happens to, and its seconds."""
    work_dir = tmp_path_factory.mktemp('online') / 'whole'
    return uninterrupted(forge, write_config(shapes_folder, work_dir, **SETTINGS), work_dir)


# The n-th time: two updates an iteration, and in the second three two labelings; the rehearsal has labeled twice.
@pytest.mark.parametrize(
    ('stage', 'moment', 'workers', 'resumed_from'),
    [
        ('before the first label', Kill('labeling online', 3), 1, 3),
        ('one peer has labels, the other none', Kill('labeling online', 6), 2, 4),
        ('one peer has learned, the other not', Kill('training', 10), 0, 4),
        ('between online labels and a bank', Kill('between phases', 2), 0, 6),
        ('a checkpoint is half-written', Kill('checkpoint', 8), 0, 4),
        ('validation', Kill('validation', 6), 0, 6),
    ],
    ids=lambda value: value.replace(' ', '_') if isinstance(value, str) else '',
)
def test_an_online_run_killed_at_a_stage_ends_with_the_same_bits(
    whole, shapes_folder, tmp_path, forge, stage, moment, workers, resumed_from
):
    work_dir = tmp_path / 'killed'
    config = write_config(shapes_folder, work_dir, **SETTINGS)
    killed_and_resumed(forge, config, moment, workers, resumed_from)
    assert not list(differences(whole[0], outcome(work_dir)))


def test_an_online_run_killed_at_random_moments_ends_with_the_same_bits(whole, shapes_folder, tmp_path, forge):
    config = write_config(shapes_folder, tmp_path / 'killed', **SETTINGS)
    rows, found = killed_at_random(forge, config, tmp_path / 'killed', *whole, KILLS)
    assert len(rows) == KILLS + 1
    assert not found, rows

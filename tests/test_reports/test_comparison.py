import math

import pytest
from toys.run_folders import CONFIG, FINISHED, finished, start, validation, write_run

from mmdmt.reports.comparison import Spread, compare, group
from mmdmt.reports.run import read_run


def changed(**model):
    return {**CONFIG, 'model': {**CONFIG['model'], **model}}


@pytest.fixture
def runs(tmp_path):
    """Two seeds of one config, one of them again with another work_dir, and another config."""
    for seed, last in ((1, 60.0), (2, 64.0)):
        config = {**CONFIG, 'work_dir': f'place{seed}'}
        write_run(tmp_path / f'seed{seed}', finished(last, 1.0, 70.0, seed=seed, config=config))
    loss = {**CONFIG['model']['loss'], 'gamma_agree': 5.0}
    write_run(tmp_path / 'other', [start(config=changed(loss=loss)), *FINISHED[1:]])
    return [read_run(tmp_path / name) for name in ('seed1', 'other', 'seed2')]


def test_runs_that_differ_in_the_seed_alone_are_one_experiment(runs):
    first, other = group(runs)
    assert [run.work_dir.name for run in first.runs] == ['seed1', 'seed2']
    assert [run.work_dir.name for run in other.runs] == ['other']
    assert (first.name, other.name) == ('tiny (1)', 'tiny (2)')


def test_results_are_mean_and_sample_deviation(runs):
    first, other = group(runs)
    spread = first.last('coco', 'mIoU')
    assert (spread.mean, spread.deviation) == (62.0, pytest.approx(math.sqrt(8)))
    assert first.class_iou('coco', 'road').mean == 63.0
    assert (other.last('coco', 'mIoU').values, other.best('coco', 'mIoU').values) == ((58.25,), (60.0,))
    assert other.last('coco', 'mIoU').deviation is None


def test_a_run_that_has_not_ended_is_left_out_of_the_means(runs, tmp_path):
    write_run(tmp_path / 'seed3', [start(seed=3), validation(100, 0.0, 0.0, 0.0)])
    first, _ = group([*runs, read_run(tmp_path / 'seed3')])
    assert (len(first.runs), len(first.counted)) == (3, 2)
    assert first.last('coco', 'mIoU').mean == 62.0


def test_the_settings_that_differ_are_told_a_long_part_that_others_lack_once(runs, tmp_path):
    assert compare(group(runs))['differences'] == {'model.loss.gamma_agree': [3.0, 5.0]}
    peers = {'coco': CONFIG['model']['peers']['coco'], 'more': {'type': 'Any', 'depths': list(range(100))}}
    write_run(tmp_path / 'single', [start(config=changed(peers=peers)), *FINISHED[1:]])
    assert compare(group([runs[0], read_run(tmp_path / 'single')]))['differences'] == {
        'model.peers.imagenet': [CONFIG['model']['peers']['imagenet'], None],
        'model.peers.more': [None, '...'],
    }


def test_runs_without_configs_stand_alone(tmp_path):
    runs = [read_run(write_run(tmp_path / name, [validation(1, 1.0, 1.0, 1.0)])) for name in ('a', 'b')]
    assert [experiment.name for experiment in group(runs)] == ['a', 'b']


def test_nan_is_not_averaged_away():
    spread = Spread((1.0, math.nan))
    assert math.isnan(spread.mean)
    assert math.isnan(spread.deviation)

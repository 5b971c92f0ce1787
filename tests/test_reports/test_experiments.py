import math

import pytest
from toys.run_folders import CONFIG, FINISHED, training, validation, write_run

from mmdmt.reports.experiments import Spread, differences, group
from mmdmt.reports.run import read_run


@pytest.fixture
def runs(tmp_path):
    """Two seeds of one config, one of them again with another work_dir, and another config."""
    for seed, last in ((1, 60.0), (2, 64.0)):
        config = CONFIG.replace('seed=7', f'seed={seed}').replace('somewhere', f'place{seed}')
        write_run(tmp_path / f'seed{seed}', [training(50), *validation(200, last, 1.0, 70.0)], config)
    write_run(tmp_path / 'other', FINISHED, CONFIG.replace('gamma_agree=3.0', 'gamma_agree=5.0'))
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
    write_run(tmp_path / 'seed3', [training(50), *validation(100, 0.0, 0.0, 0.0)], CONFIG.replace('seed=7', 'seed=3'))
    first, _ = group([*runs, read_run(tmp_path / 'seed3')])
    assert (len(first.runs), len(first.counted)) == (3, 2)
    assert first.last('coco', 'mIoU').mean == 62.0


def test_the_settings_that_differ_are_told(runs):
    assert differences(group(runs)) == {'model.loss.gamma_agree': [3.0, 5.0]}


def test_phases_that_differ_are_told_in_words(runs, tmp_path):
    more = '            dict(iters=100, label_ratio=0.75, labeled=2, lr_factor=0.5, pseudo=6),\n        ],'
    write_run(tmp_path / 'more', FINISHED, CONFIG.replace('        ],', more, 1))
    found = differences(group([runs[0], read_run(tmp_path / 'more')]))
    assert found == {
        'phases': [
            '100 iterations (labeled 8); 100 iterations (labeled 2, lr_factor 0.5, pseudo 6), label ratio 0.5',
            '100 iterations (labeled 8); '
            '2 x 100 iterations (labeled 2, lr_factor 0.5, pseudo 6), label ratios 0.5, 0.75',
        ]
    }


def test_a_part_that_others_lack_is_told_once(runs, tmp_path):
    peer = 'imagenet=dict(backbone=dict(depth=50'
    write_run(tmp_path / 'single', FINISHED, CONFIG.replace(peer, 'more=dict(backbone=dict(depth=50'))
    found = differences(group([runs[0], read_run(tmp_path / 'single')]))
    assert found == {'model.peers.imagenet': ['...', None], 'model.peers.more': [None, '...']}


def test_runs_without_configs_stand_alone(tmp_path):
    runs = [read_run(write_run(tmp_path / name, config='')) for name in ('a', 'b')]
    assert [experiment.name for experiment in group(runs)] == ['a', 'b']


def test_nan_is_not_averaged_away():
    spread = Spread((1.0, math.nan))
    assert math.isnan(spread.mean)
    assert math.isnan(spread.deviation)

import math

import pytest
from toys.run_folders import training, validation, write_run

from mmdmt.reports.scalars import read_scalars, series, thin


def read(work_dir):
    return read_scalars(sorted(work_dir.glob('*/vis_data/scalars.json')))


def test_after_a_resume_the_later_entries_win(tmp_path):
    write_run(tmp_path, [training(50), training(100, loss=5.0), training(150, loss=9.0)], start='1')
    write_run(tmp_path, [training(100, loss=6.0), *validation(100, 1.0, 2.0, 3.0)], start='2')
    found = read(tmp_path)
    assert series(found.training, 'loss') == ([50, 100], [1.5, 6.0])
    assert found.last_step == 100


def test_a_run_that_was_started_anew_replaces_what_was_there(tmp_path):
    write_run(
        tmp_path, [training(50), *validation(50, 9.0, 9.0, 9.0), {'pseudo/a/coverage': 0.5, 'step': 50}], start='1'
    )
    write_run(tmp_path, [training(50, loss=6.0)], start='2')
    found = read(tmp_path)
    assert series(found.training, 'loss') == ([50], [6.0])
    assert not found.validations
    assert not found.labelings


def test_labels_that_a_resumed_run_finds_again_stay(tmp_path):
    write_run(tmp_path, [training(50), {'pseudo/a/coverage': 0.5, 'step': 100}, training(150)], start='1')
    write_run(tmp_path, [training(150)], start='2')
    assert series(read(tmp_path).labelings, 'pseudo/a/coverage') == ([100], [0.5])


def test_classes_belong_to_the_validation_that_follows_them(tmp_path):
    # A validation that is made up for after a resume writes its classes under the next iteration.
    lines = validation(100, 60.0, 50.0, 61.0)
    for line in lines[:-1]:
        line['step'] = 101
    write_run(tmp_path, lines)
    (entry,) = read(tmp_path).validations
    assert (entry['step'], entry['coco/mIoU'], entry['coco/IoU/road']) == (100, 60.0, 61.0)


def test_the_line_that_a_run_was_killed_in_is_counted_and_left_out(tmp_path):
    write_run(tmp_path, [training(50)])
    (path,) = tmp_path.glob('*/vis_data/scalars.json')
    with path.open('a') as file:
        file.write('{"loss": 1.25, "iter": 10')
    found = read(tmp_path)
    assert found.unreadable == 1
    assert series(found.training, 'loss') == ([50], [1.5])


def test_nan_stays_where_it_was_logged(tmp_path):
    write_run(tmp_path, [training(50, loss=math.nan), training(100)])
    steps, values = series(read(tmp_path).training, 'loss')
    assert steps == [50, 100]
    assert math.isnan(values[0])


def test_a_long_curve_becomes_means_of_neighbors():
    steps, values = thin(range(1, 8), [1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 40.0], most=3)
    assert steps == [3, 6, 7]
    assert values == pytest.approx([3.0, 9.0, 40.0])
    assert thin([1, 2], [5.0, 6.0]) == ([1, 2], [5.0, 6.0])

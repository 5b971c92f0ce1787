"""The table of a benchmark, from folders of runs."""

import pytest
from toys.run_folders import CONFIG, FINISHED, training, validation, write_run

from mmdmt.reports.rows import make_rows, markdown
from mmdmt.reports.run import read_run
from mmdmt.reports.wording import NONE

ALONE = CONFIG.replace(
    "        coco=dict(backbone=dict(depth=101, type='ResNet'), type='EncoderDecoder'),\n", ''
)  # with the peer `imagenet`


def finished(coco, imagenet, ensemble):
    return [training(100), *validation(100, 1.0, 2.0, 3.0), training(200), *validation(200, coco, imagenet, ensemble)]


def cpu(seconds):
    return f'2026/01/02 10:30:00 - mmengine - INFO - CPU time: {seconds} s.\n'


@pytest.fixture
def runs(tmp_path):
    def read(**folders):
        return [read_run(write_run(tmp_path / name.replace('__', '-'), **given)) for name, given in folders.items()]

    return read


def test_runs_that_differ_in_the_number_at_their_end_are_a_row(runs):
    given = runs(
        dmt__s0=dict(entries=finished(50.0, 60.0, 62.0), log=cpu(900)),
        labels__s0=dict(entries=finished(40.0, 42.0, 43.0)),
        dmt__s1=dict(entries=finished(52.0, 62.0, 66.0), log=cpu(1100)),
    )
    dmt, labels = make_rows(given, 'mIoU')
    assert (dmt.name, dmt.splits, labels.name, labels.splits) == ('dmt', ('0', '1'), 'labels', ('0',))
    assert dmt.mean.values == (55.0, 57.0)
    assert markdown([dmt, labels], 'mIoU') == [
        '| mIoU of the last weights | coco | imagenet | mean of peers | each split | ensemble | iterations | CPU s |',
        '| --- | --- | --- | --- | --- | --- | --- | --- |',
        '| dmt | 51.00 ± 1.41 | 61.00 ± 1.41 | 56.00 ± 1.41 | 55.00 57.00 | 64.00 ± 2.83 | 200 | 1000 |',
        f'| labels | 40.00 | 42.00 | 41.00 | {NONE} | 43.00 | 200 | {NONE} |',
    ]


def test_the_deviation_is_of_the_means_of_splits_and_not_of_peers(runs):
    given = runs(dmt__s0=dict(entries=finished(50.0, 60.0, 1.0)), dmt__s1=dict(entries=finished(60.0, 50.0, 1.0)))
    (row,) = make_rows(given, 'mIoU')
    assert (row.mean.mean, row.mean.deviation) == (55.0, 0.0)
    assert row.peers['coco'].deviation == pytest.approx(7.0710678)


def test_runs_of_named_single_peers_are_one_row_without_an_ensemble(runs):
    other = ALONE.replace('imagenet=', 'coco=')
    given = runs(
        self_training_imagenet_split0=dict(entries=finished(0.0, 61.0, 61.0), config=ALONE, log=cpu(10)),
        self_training_coco_split0=dict(entries=finished(51.0, 0.0, 51.0), config=other, log=cpu(20)),
    )
    (row,) = make_rows(given, 'mIoU')
    assert (row.name, row.ensemble, row.cpu_seconds.values) == ('self_training', None, (30.0,))
    assert {peer: spread.values for peer, spread in row.peers.items()} == {'imagenet': (61.0,), 'coco': (51.0,)}
    assert (row.mean.values, row.iters) == ((56.0,), (200, 200))


def test_a_folder_of_splits_gives_its_name_to_the_row(tmp_path):
    given = [read_run(write_run(tmp_path / 'voc' / f'split{number}')) for number in range(2)]
    (row,) = make_rows(given, 'mIoU')
    assert (row.name, row.splits) == ('voc', ('0', '1'))


def test_rows_that_make_no_sense_are_refused(runs, tmp_path):
    with pytest.raises(ValueError, match='is at iteration 100 of 200: leave it out, or wait'):
        make_rows(runs(a__s0=dict(entries=FINISHED[:3])), 'mIoU')
    with pytest.raises(ValueError, match='No validation in .* has coco/top1'):
        make_rows(runs(b__s0={}), 'top1')
    with pytest.raises(ValueError, match="is not the only run of 'c', split 0, with the peer 'coco'"):
        make_rows(runs(c__s0={}, c_s0={}), 'mIoU')
    with pytest.raises(ValueError, match=r"Split 1 of 'd' has the peers \['imagenet'\]"):
        make_rows(runs(d__s0={}, d__s1=dict(config=ALONE)), 'mIoU')
    longer = CONFIG.replace('iters=100, label_ratio', 'iters=200, label_ratio').replace('=200, type', '=300, type')
    with pytest.raises(ValueError, match=r'differ in their iterations'):
        make_rows(
            runs(e__s0={}, e__s1=dict(config=longer, entries=[*FINISHED, *validation(300, 1.0, 1.0, 1.0)])), 'mIoU'
        )

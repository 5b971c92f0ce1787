import pytest
from toys.run_folders import start, write_run
from toys.tools import load_tool


@pytest.fixture
def tool():
    return load_tool('mean_of_runs.py')


def validated(step, coco, ensemble):
    values = {'coco/aAcc': 90.0, 'coco/mIoU': coco, 'ensemble/mIoU': ensemble}
    return {'event': 'validation', 'iteration': step, 'values': values}


@pytest.fixture
def runs(tmp_path):
    for number, last in enumerate((60.0, 62.0, 64.0)):
        lists = {'labeled': f'530, VOC 1/20 of DMT, split {min(number, 1)}'}
        write_run(tmp_path / str(number), [start(lists=lists), validated(5, 70.0, 50.0)])
        write_run(tmp_path / str(number), [start(5, lists=lists), validated(10, last, last + 1)], '20260103_000000')
    return [str(tmp_path / str(number)) for number in range(3)]


def test_the_mean_is_of_the_last_validation_and_the_best_stands_beside_it(tool, runs, capsys):
    tool.main(runs)
    assert capsys.readouterr().out.splitlines() == [
        '3 runs, iteration 10',
        'coco/mIoU      last 62.00 ± 2.00 (60.00 62.00 64.00)  best 70.00 ± 0.00',
        'ensemble/mIoU  last 63.00 ± 2.00 (61.00 63.00 65.00)  best 63.00 ± 2.00',
        'labeled images: 530, VOC 1/20 of DMT, split 0',
        'labeled images: 530, VOC 1/20 of DMT, split 1',
    ]
    tool.main([runs[0], '--metric', 'aAcc'])
    assert capsys.readouterr().out.splitlines()[1] == 'coco/aAcc  last 90.00 (90.00)  best 90.00'


def test_runs_that_have_not_all_ended_are_refused(tool, runs, tmp_path):
    write_run(tmp_path / 'more', [start(), validated(5, 10.0, 10.0)])
    with pytest.raises(ValueError, match='different iterations'):
        tool.main([*runs, str(tmp_path / 'more')])

import importlib.util
import json
from pathlib import Path

import pytest


@pytest.fixture(scope='module')
def tool():
    path = Path(__file__).parents[2] / 'tools' / 'mean_of_runs.py'
    spec = importlib.util.spec_from_file_location('mean_of_runs', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_log(work_dir, start, *entries):
    log = work_dir / start / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    log.write_text(''.join(json.dumps(entry) + '\n' for entry in entries))


def validation(step, coco, ensemble):
    return {'coco/aAcc': 90.0, 'coco/mIoU': coco, 'ensemble/mIoU': ensemble, 'time': 0.1, 'step': step}


@pytest.fixture
def runs(tmp_path):
    for number, last in enumerate((60.0, 62.0, 64.0)):
        first, later = ({'loss': 1.0, 'lr': 0.1, 'iter': step, 'step': step} for step in (3, 7))
        write_log(tmp_path / str(number), '20260101_000000', first, validation(5, 70.0, 50.0))
        write_log(tmp_path / str(number), '20260102_000000', later, validation(10, last, last + 1))
    return [str(tmp_path / str(number)) for number in range(3)]


def test_the_mean_is_of_the_last_validation_and_the_best_stands_beside_it(tool, runs, capsys):
    tool.main(runs)
    assert capsys.readouterr().out.splitlines() == [
        '3 runs, iteration 10',
        'coco/mIoU      last 62.00 ± 2.00 (60.00 62.00 64.00)  best 70.00 ± 0.00',
        'ensemble/mIoU  last 63.00 ± 2.00 (61.00 63.00 65.00)  best 63.00 ± 2.00',
    ]


def test_one_run_has_no_deviation_and_other_metrics_can_be_asked_for(tool, runs, capsys):
    tool.main([runs[0], '--metric', 'aAcc'])
    assert capsys.readouterr().out.splitlines()[1] == 'coco/aAcc  last 90.00 (90.00)  best 90.00'


def test_what_was_validated_again_after_a_resume_counts_once(tool, tmp_path, capsys):
    write_log(tmp_path, '20260101_000000', validation(5, 10.0, 10.0), validation(10, 99.0, 99.0))
    write_log(tmp_path, '20260102_000000', validation(10, 20.0, 20.0))
    tool.main([str(tmp_path)])
    assert 'coco/mIoU      last 20.00 (20.00)  best 20.00' in capsys.readouterr().out


def test_runs_that_have_not_all_ended_are_refused(tool, runs, tmp_path):
    write_log(tmp_path / 'more', '20260101_000000', validation(5, 10.0, 10.0))
    with pytest.raises(ValueError, match='different iterations'):
        tool.main([*runs, str(tmp_path / 'more')])


def test_folders_that_are_no_runs_are_named(tool, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'scalars\.json.* give the --work-dir'):
        tool.main([str(tmp_path)])
    write_log(tmp_path, '20260101_000000', {'loss': 1.0, 'step': 1})
    with pytest.raises(ValueError, match='No validation in .* has mIoU'):
        tool.main([str(tmp_path)])


def test_the_lists_of_labeled_images_are_named_once_each(tool, runs, capsys):
    for number, split in enumerate((0, 1, 1)):
        line = f'2026/01/02 10:00:05 - mmengine - INFO - List of labeled images: 530, VOC 1/20 of DMT, split {split}.\n'
        (Path(runs[number]) / '20260102_000000' / '20260102_000000.log').write_text(line)
    tool.main(runs)
    assert capsys.readouterr().out.splitlines()[3:] == [
        'labeled images: 530, VOC 1/20 of DMT, split 0',
        'labeled images: 530, VOC 1/20 of DMT, split 1',
    ]

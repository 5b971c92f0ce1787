"""Records: small files that say of a run what its folder says."""

import json

import pytest
from toys.run_folders import CONFIG, FINISHED, labeling, training, validation, write_run

from mmdmt.reports.record import keep_run, shorten_paths
from mmdmt.reports.rows import make_rows
from mmdmt.reports.run import read_run

LOG = """2026/01/02 10:00:05 - mmengine - INFO - List of labeled images: 530, VOC 1/20 of DMT, split 0.
2026/01/02 10:00:06 - mmengine - INFO - Config:
secret = '/home/ada/data/x'
2026/01/02 10:10:00 - mmengine - INFO - Phase 1 of 1, iterations 100 to 200: 2 labeled + 6 pseudo-labeled images.
2026/01/02 10:11:00 - mmengine - WARNING - A file of mine, /home/ada/mine/odd.png, is odd.
2026/01/02 10:12:00 - mmengine - INFO - Iter(train) [200/200] loss: 1.0
2026/01/02 10:15:00 - mmengine - INFO - CPU time: 812 s.
2026/01/02 10:20:00 - mmengine - INFO - Done, in /home/ada/somewhere.
"""


@pytest.fixture
def work_dir(tmp_path):
    config = CONFIG.replace("work_dir = 'somewhere'", "work_dir = '/home/ada/work_dirs/mine'\nx = '/home/ada/secret'")
    many = [training(step) for step in range(1, 200)]
    return write_run(tmp_path / 'dmt-s0', entries=[*many, *FINISHED], config=config, log=LOG)


def test_a_record_says_what_the_run_says(work_dir, tmp_path):
    folder = keep_run(work_dir, tmp_path / 'results')
    run, kept = read_run(work_dir), read_run(folder)
    assert folder == tmp_path / 'results' / 'dmt-s0'
    assert kept.scalars.validations == run.scalars.validations
    assert kept.scalars.labelings == run.scalars.labelings
    assert (kept.config_name, kept.seed, kept.ended) == (run.config_name, run.seed, run.ended)
    assert kept.log == run.log.__class__(**{**vars(run.log), 'messages': kept.log.messages})
    assert kept.log.messages == {('WARNING', 'A file of mine, odd.png, is odd.'): 1}
    assert kept.log.cpu_seconds == 812
    assert kept.config['model'] == run.config['model']
    assert make_rows([kept], 'mIoU')[0].peers == make_rows([run], 'mIoU')[0].peers


def test_a_record_is_small_and_names_no_folder_of_the_machine(work_dir, tmp_path):
    folder = keep_run(work_dir, tmp_path / 'results', 'mine')
    files = [path for path in folder.rglob('*') if path.is_file()]
    text = '\n'.join(path.read_text() for path in files)
    assert 'ada' not in text
    assert str(tmp_path) not in text
    scalars = next(folder.glob('*/vis_data/scalars.json')).read_text().splitlines()
    assert len([line for line in scalars if '"loss"' in line]) <= 50
    assert json.loads(scalars[-1])['step'] == 200
    made = json.loads((folder / 'machine.json').read_text())
    assert made['machine']['cores'] >= 1
    assert made['versions']['torch']


def test_a_resumed_run_keeps_the_times_of_each_start(work_dir, tmp_path):
    write_run(work_dir, entries=[labeling(200, 2), *validation(200, 9.0, 9.0, 9.0)], log=LOG, start='20260103_100000')
    run, kept = read_run(work_dir), read_run(keep_run(work_dir, tmp_path / 'results'))
    assert kept.log.starts == run.log.starts
    assert len(kept.log.starts) == 2
    assert kept.log.cpu_seconds == 2 * 812


def test_the_same_record_can_be_written_again(work_dir, tmp_path):
    first, second = (keep_run(work_dir, tmp_path / 'results') for _ in range(2))
    assert first == second
    assert read_run(second).score('coco', 'mIoU').last == 58.25


def test_a_run_that_goes_on_and_its_own_folder_are_refused(work_dir, tmp_path):
    with pytest.raises(ValueError, match='is the folder of the run itself'):
        keep_run(work_dir, tmp_path)
    unfinished = write_run(tmp_path / 'unfinished', entries=FINISHED[:2])
    with pytest.raises(ValueError, match='ended at iteration 100 of 200: keep it when it is done'):
        keep_run(unfinished, tmp_path / 'results')


@pytest.mark.parametrize(
    ('text', 'short'),
    [
        ("'/home/ada/project/splits/camvid/split0/labeled_30.txt'", "'splits/camvid/split0/labeled_30.txt'"),
        ("'/home/ada/odd.png'", "'odd.png'"),
        ('https://arxiv.org/abs/2004.08514', 'https://arxiv.org/abs/2004.08514'),
        ("'data/camvid_240x180/train'", "'data/camvid_240x180/train'"),
        ('1/20 of 8/9', '1/20 of 8/9'),
    ],
)
def test_paths_are_shortened_to_what_they_are_for_others(text, short):
    assert shorten_paths(text) == short

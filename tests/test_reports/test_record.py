"""Records: small files that say of a run what its folder says."""

import json

import pytest
from toys.run_folders import CONFIG, FINISHED, labeling, training, validation, write_run

from mmdmt.reports.record import add_to_index, index_line, keep_run, shorten_paths
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


def test_a_record_is_two_small_files_that_say_what_the_run_says(work_dir, tmp_path):
    folder = keep_run(work_dir, tmp_path / 'results')
    assert folder == tmp_path / 'results' / 'dmt-s0'
    assert sorted(path.name for path in folder.iterdir()) == ['log.txt', 'scalars.json']
    scalars = [json.loads(line) for line in (folder / 'scalars.json').read_text().splitlines()]
    assert len([entry for entry in scalars if 'loss' in entry]) <= 50
    given = read_run(work_dir).scalars
    assert [entry for entry in scalars if 'coco/mIoU' in entry][-1].items() <= given.validations[-1].items()
    assert [entry for entry in scalars if 'pseudo/phase' in entry] == list(given.labelings)
    log = (folder / 'log.txt').read_text()
    assert 'List of labeled images: 530, VOC 1/20 of DMT, split 0.' in log
    assert 'CPU time: 812 s.' in log
    assert 'A file of mine, odd.png, is odd.' in log


def test_a_record_names_no_folder_of_the_machine_and_no_config(work_dir, tmp_path):
    folder = keep_run(work_dir, tmp_path / 'results', 'mine')
    text = '\n'.join(path.read_text() for path in folder.iterdir())
    assert 'ada' not in text
    assert str(tmp_path) not in text
    assert 'secret' not in text


def test_a_resumed_run_keeps_the_logs_of_each_start(work_dir, tmp_path):
    write_run(work_dir, entries=[labeling(200, 2), *validation(200, 9.0, 9.0, 9.0)], log=LOG, start='20260103_100000')
    assert (keep_run(work_dir, tmp_path / 'results') / 'log.txt').read_text().count('CPU time: 812 s') == 2


def test_a_line_of_the_index_has_the_last_scores_and_their_mean(work_dir):
    line = index_line(work_dir, rare=['traffic <light>'])
    assert (line['peer_a'], line['peer_b'], line['ensemble']) == (58.25, 55.5, 64.75)
    assert line['mean'] == 56.875
    assert (line['frequent'], line['rare']) == (57.88, 55.88)  # a point above and below both peers
    assert (line['seed'], line['iterations'], line['cpu_seconds'], line['averages']) == (7, 200, 812, 'no')
    assert 'frequent' not in index_line(work_dir)


def test_a_line_of_the_same_record_is_replaced_and_others_stay(tmp_path):
    index = tmp_path / 'index.csv'
    index.write_text('method,mean,record\nDMT,1,results/a\nCBST,2,results/b\n')
    add_to_index(index, {'method': 'DMT', 'mean': 3.5, 'record': 'results/a'})
    add_to_index(index, {'method': 'new', 'record': 'results/c'})
    assert index.read_text() == 'method,mean,record\nCBST,2,results/b\nDMT,3.5,results/a\nnew,,results/c\n'


def test_the_same_record_can_be_written_again(work_dir, tmp_path):
    first, second = (keep_run(work_dir, tmp_path / 'results') for _ in range(2))
    assert first == second
    assert json.loads((second / 'scalars.json').read_text().splitlines()[-1])['step'] == 200


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

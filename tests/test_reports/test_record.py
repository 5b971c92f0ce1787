"""Records: small files that say of a run what its folder says."""

import pytest
from toys.run_folders import CONFIG, END, FINISHED, start, training, validation, warning, write_run

from mmdmt.reports.record import keep_run, shorten_paths
from mmdmt.reports.run import read_run


@pytest.fixture
def work_dir(tmp_path):
    config = {**CONFIG, 'work_dir': '/home/ada/work_dirs/mine', 'x': '/home/ada/secret'}
    many = [training(step) for step in range(1, 200)]
    odd = warning('A file of mine, /home/ada/mine/odd.png, is odd.')
    return write_run(tmp_path / 'dmt-s0', [start(config=config), odd, *many, *FINISHED[1:]])


def test_a_record_says_what_the_run_says(work_dir, tmp_path):
    folder = keep_run(work_dir, tmp_path / 'results')
    run, kept = read_run(work_dir), read_run(folder)
    assert folder == tmp_path / 'results' / 'dmt-s0'
    for name in ('validations', 'labelings', 'seed', 'ended', 'starts', 'phase_seconds', 'cpu_seconds', 'phases'):
        assert getattr(kept, name) == getattr(run, name), name
    assert kept.messages == {('WARNING', 'A file of mine, odd.png, is odd.'): 1}
    assert kept.config['model'] == run.config['model']


def test_a_record_is_small_and_names_no_folder_of_the_machine(work_dir, tmp_path):
    folder = keep_run(work_dir, tmp_path / 'results', 'mine')
    text = '\n'.join(path.read_text() for path in folder.rglob('*') if path.is_file())
    assert 'ada' not in text
    assert str(tmp_path) not in text
    kept = read_run(folder).training
    assert len(kept) <= 50
    assert kept[-1]['step'] == 200


def test_a_resumed_run_keeps_each_start_and_can_be_kept_again(work_dir, tmp_path):
    write_run(work_dir, [start(200), validation(200, 9.0, 9.0, 9.0), END], when='20260103_100000')
    kept = [read_run(keep_run(work_dir, tmp_path / 'results')) for _ in range(2)]
    assert [run.starts for run in kept] == [read_run(work_dir).starts] * 2
    assert kept[0].cpu_seconds == 2 * 812
    assert kept[1].score('coco', 'mIoU').last == 9.0


def test_a_run_that_goes_on_and_its_own_folder_are_refused(work_dir, tmp_path):
    with pytest.raises(ValueError, match='is the folder of the run itself'):
        keep_run(work_dir, tmp_path)
    unfinished = write_run(tmp_path / 'unfinished', [start(), training(100)])
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

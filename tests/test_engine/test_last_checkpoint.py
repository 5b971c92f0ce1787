import logging
import os

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import CheckpointHook

from mmdmt.engine.last_checkpoint import (
    CheckpointFiles,
    check_checkpoint,
    checkpoint_files,
    is_whole,
    last_good_checkpoint,
    settle_checkpoint,
)


def write(path, iteration, run='20260101_000000'):
    torch.save(
        {'weight': torch.full((100, 100), float(iteration)), 'meta': {'iter': iteration}, 'dmt': {'run': run}}, path
    )


@pytest.fixture
def work_dir(tmp_path):
    """A run with three checkpoints, the last of which is named."""
    folder = tmp_path / 'run'
    folder.mkdir()
    for number in (1, 2, 3):
        write(folder / f'iter_{number}.pth', number)
    (folder / 'last_checkpoint').write_text(str(folder / 'iter_3.pth'))
    return folder


def find(work_dir, template='iter_{}.pth'):
    return last_good_checkpoint(work_dir, CheckpointFiles(work_dir, template), logging.getLogger())


def truncate(path):
    path.write_bytes(path.read_bytes()[:-1000])


def empty(path):
    path.write_bytes(b'')


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    # The test is worth something only where torch notices nothing.
    weight = torch.load(path)['weight']
    assert not weight.eq(weight[0, 0]).all()


def remove(path):
    path.unlink()


@pytest.mark.parametrize('damage', [truncate, empty, flip, remove])
def test_the_good_checkpoint_before_a_damaged_one_takes_its_place(work_dir, damage, caplog):
    damage(work_dir / 'iter_3.pth')
    with caplog.at_level(logging.WARNING):
        found = find(work_dir)
    assert found == work_dir / 'iter_2.pth'
    assert (work_dir / 'last_checkpoint').read_text() == str(found)
    (record,) = caplog.records
    assert record.getMessage() == (
        f'{work_dir}/iter_3.pth is damaged, incomplete or gone: the run is resumed from {work_dir}/iter_2.pth, the '
        'last good checkpoint.'
    )


def test_a_good_checkpoint_stays_named_even_if_there_are_later_ones(work_dir, caplog):
    (work_dir / 'last_checkpoint').write_text(str(work_dir / 'iter_1.pth'))
    assert find(work_dir) == work_dir / 'iter_1.pth'
    assert not caplog.records


def test_a_copied_run_goes_on_from_its_own_checkpoint(work_dir, tmp_path):
    work_dir.rename(tmp_path / 'moved')
    work_dir.mkdir()
    write(work_dir / 'iter_3.pth', 3)
    assert find(tmp_path / 'moved') == tmp_path / 'moved' / 'iter_3.pth'


@pytest.mark.parametrize('pointer', [None, b'', b'\xff\xfe', b'../../elsewhere/iter_4.pth', b'..', b'/'])
def test_a_lost_pointer_is_the_last_iteration_of_the_run_that_started_last(work_dir, pointer):
    write(work_dir / 'iter_9.pth', 9, run='20250101_000000')  # an earlier, longer run
    os.utime(work_dir / 'iter_1.pth', (2e9, 2e9))  # times say nothing: copying changes them
    (work_dir / 'last_checkpoint').unlink()
    if pointer is not None:
        (work_dir / 'last_checkpoint').write_bytes(pointer)
    assert find(work_dir) == work_dir / 'iter_3.pth'


def test_what_comes_after_the_named_iteration_is_not_taken(work_dir):
    (work_dir / 'last_checkpoint').write_text('iter_2.pth')
    truncate(work_dir / 'iter_2.pth')
    assert find(work_dir) == work_dir / 'iter_1.pth'


@pytest.mark.parametrize('template', ['step_{}.pth', '{:06d}.pth', 'a.{0}.b.{0}', '1_{}.pth', 'below/iter_{}.pth'])
def test_checkpoints_may_have_any_name(tmp_path, template):
    (tmp_path / 'below').mkdir()
    for number in (8, 12):
        write(tmp_path / template.format(number), number)
    write(tmp_path / 'best_mIoU_iter_20.pth', 20)
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / template.format(12)))
    truncate(tmp_path / template.format(12))
    assert find(tmp_path, template) == tmp_path / template.format(8)


def test_without_a_good_checkpoint_a_run_is_not_resumed(work_dir):
    for path in work_dir.glob('iter_*.pth'):
        truncate(path)
    with pytest.raises(RuntimeError, match='no checkpoint in .* is whole: start again without --resume'):
        find(work_dir)


def test_an_empty_folder_has_nothing_to_resume(tmp_path):
    assert find(tmp_path) is None


def test_a_damaged_checkpoint_that_is_asked_for_is_refused(work_dir):
    check_checkpoint(str(work_dir / 'iter_3.pth'))
    check_checkpoint('https://example.com/iter_3.pth')  # not ours to judge
    flip(work_dir / 'iter_3.pth')
    assert not is_whole(work_dir / 'iter_3.pth')
    with pytest.raises(RuntimeError, match='iter_3.pth is damaged or incomplete and cannot be resumed from'):
        check_checkpoint(str(work_dir / 'iter_3.pth'))


class RunnerStub:
    def __init__(self, work_dir, config, load_from, **hook):
        self.work_dir, self.cfg, self._load_from, self._resume = str(work_dir), config, load_from, True
        self.hooks, self.logger = [CheckpointHook(by_epoch=False, **hook)], logging.getLogger()


@pytest.mark.parametrize(
    ('written', 'given', 'own', 'expected'),
    [
        ({'load_from': 'a.pth'}, 'a.pth', True, ('iter_3.pth', True)),
        ({'load_from': 'a.pth', 'resume': True}, 'a.pth', True, ('iter_3.pth', True)),
        ({'load_from': 'a.pth'}, 'a.pth', False, ('a.pth', False)),
        ({'load_from': 'a.pth', 'resume': True}, 'a.pth', False, ('a.pth', True)),
        ({'load_from': 'a.pth'}, 'b.pth', True, ('b.pth', True)),
        ({}, 'b.pth', False, ('b.pth', True)),
        ({}, None, True, ('iter_3.pth', True)),
        ({}, None, False, (None, False)),
    ],
)
def test_load_from_of_a_config_does_not_replace_the_runs_own_progress(
    work_dir, tmp_path, written, given, own, expected
):
    (tmp_path / 'config.py').write_text(''.join(f'{key} = {value!r}\n' for key, value in written.items()))
    runner = RunnerStub(work_dir if own else tmp_path / 'empty', Config.fromfile(tmp_path / 'config.py'), given)
    settle_checkpoint(runner)
    name, resumes = expected
    assert (runner._load_from and runner._load_from.rpartition('/')[2], runner._resume) == (name, resumes)


@pytest.mark.parametrize(
    ('out_dir', 'folder'), [(None, '/w/run'), ('/w/run', '/w/run'), ('/big', '/big/run'), ('s3://bucket', None)]
)
def test_checkpoints_are_where_their_hook_writes_them(out_dir, folder):
    files = checkpoint_files(RunnerStub('/w/run', Config({}), None, out_dir=out_dir))
    assert (files and str(files.folder)) == folder

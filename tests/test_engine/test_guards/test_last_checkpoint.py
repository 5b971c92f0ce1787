import logging
import os

import pytest
import torch

from mmdmt.engine.guards.last_checkpoint import check_checkpoint, is_whole, repair_last_checkpoint


@pytest.fixture
def work_dir(tmp_path):
    """A run with three checkpoints, the last of which is named."""
    for number in (1, 2, 3):
        path = tmp_path / f'iter_{number}.pth'
        torch.save({'weight': torch.full((100, 100), float(number)), 'meta': {'iter': number}}, path)
        os.utime(path, (number, number))
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'iter_3.pth'))
    return tmp_path


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
        repair_last_checkpoint(work_dir, logging.getLogger())
    assert (work_dir / 'last_checkpoint').read_text() == str(work_dir / 'iter_2.pth')
    (record,) = caplog.records
    assert record.getMessage() == (
        f'{work_dir}/iter_3.pth is damaged, incomplete or gone: the run is resumed from {work_dir}/iter_2.pth, the '
        'last good checkpoint.'
    )


def test_a_good_checkpoint_stays_named_even_if_there_are_later_ones(work_dir, caplog):
    (work_dir / 'last_checkpoint').write_text(str(work_dir / 'iter_1.pth'))
    repair_last_checkpoint(work_dir, logging.getLogger())
    assert (work_dir / 'last_checkpoint').read_text() == str(work_dir / 'iter_1.pth')
    assert not caplog.records


def test_what_an_earlier_and_longer_run_has_left_is_not_taken(work_dir):
    os.utime(work_dir / 'iter_2.pth', (0, 0))
    truncate(work_dir / 'iter_3.pth')
    repair_last_checkpoint(work_dir, logging.getLogger())
    assert (work_dir / 'last_checkpoint').read_text() == str(work_dir / 'iter_1.pth')


def test_without_a_good_checkpoint_a_run_is_not_resumed(work_dir):
    for path in work_dir.glob('iter_*.pth'):
        truncate(path)
    with pytest.raises(RuntimeError, match='no checkpoint in .* is whole: start again without --resume'):
        repair_last_checkpoint(work_dir, logging.getLogger())


def test_a_damaged_checkpoint_that_is_asked_for_is_refused(work_dir):
    check_checkpoint(str(work_dir / 'iter_3.pth'))
    check_checkpoint('https://example.com/iter_3.pth')  # not ours to judge
    flip(work_dir / 'iter_3.pth')
    assert not is_whole(work_dir / 'iter_3.pth')
    with pytest.raises(RuntimeError, match='iter_3.pth is damaged or incomplete and cannot be resumed from'):
        check_checkpoint(str(work_dir / 'iter_3.pth'))

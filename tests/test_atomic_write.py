import errno
import os

import pytest

from mmdmt.atomic_write import atomic_write, room_to_write


@pytest.fixture
def path(tmp_path):
    (tmp_path / 'file').write_text('old')
    return tmp_path / 'file'


def test_a_file_is_replaced_when_all_of_it_is_on_the_disk(path, monkeypatch):
    order = []
    monkeypatch.setattr(os, 'fsync', lambda _: order.append(path.read_text()))
    with atomic_write(path) as unfinished:
        unfinished.write_text('new')
        assert path.read_text() == 'old'
    assert order == ['old']
    assert path.read_text() == 'new'
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize('error', [OSError('disk is full'), KeyboardInterrupt()])
def test_after_an_error_the_old_file_stands_alone(path, error):
    def write():
        with atomic_write(path) as unfinished:
            unfinished.write_text('half')
            raise error

    with pytest.raises(type(error)):
        write()
    assert path.read_text() == 'old'
    assert list(path.parent.iterdir()) == [path]


def test_what_a_killed_process_left_does_not_matter(path):
    path.with_name('file.tmp').write_text('left by a process that was killed')
    with atomic_write(path) as unfinished:
        unfinished.write_text('new')
    assert path.read_text() == 'new'
    assert list(path.parent.iterdir()) == [path]


def test_nothing_is_written_through_a_link(path, tmp_path):
    mine = tmp_path / 'mine.txt'
    mine.write_text('precious')
    path.with_name('file.tmp').symlink_to(mine)
    with atomic_write(path) as unfinished:
        unfinished.write_text('new')
    assert (mine.read_text(), path.read_text()) == ('precious', 'new')
    assert not path.is_symlink()


@pytest.mark.parametrize('error', [OSError(28, 'No space left'), OSError('7 requested and 3 written')], ids=str)
def test_a_full_disk_is_a_sentence_with_the_remedy(tmp_path, error):
    words = r'(No space left|3 written) while this was written \(make room\): .*scores'
    with pytest.raises(OSError, match=words) as told, room_to_write(tmp_path / 'scores.npy', 'make room'):
        raise error
    assert told.value.errno == errno.ENOSPC  # by which a run knows that it ends with a sentence

"""Write a file whole or not at all."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

REMEDY = 'make room, or choose a place that can be written to, and start again'


@contextmanager
def atomic_write(path: Path, remedy: str = REMEDY) -> Iterator[Path]:
    """Put a file in its place in one step, once all of it is on the disk; a link there is replaced.

    Args:
        path (Path): The file, which may exist; its folder must.
        remedy (str): What to do where it cannot be written, for the error message.

    Yields:
        Path: A path beside it for the block to write to. After an error it is removed.

    Raises:
        OSError: If it cannot be written, with the reason and the remedy.
    """
    unfinished = path.with_name(f'{path.name}.tmp')
    with room_to_write(path, remedy):
        unfinished.unlink(missing_ok=True)  # what is there may be a link to another file
        try:
            yield unfinished
            with unfinished.open('rb+') as file:
                os.fsync(file.fileno())
            unfinished.replace(path)
        except BaseException:
            with suppress(OSError):  # it must not hide the error that has come first
                unfinished.unlink(missing_ok=True)
            raise


@contextmanager
def room_to_write(path: Path, remedy: str = REMEDY) -> Iterator[None]:
    """Add the path and the remedy to an ``OSError`` of the block, which writes the path."""
    try:
        yield
    except OSError as error:
        # numpy raises one without a number where the disk takes a part of an array alone: it is full.
        reason = error.strerror or str(error)
        raise OSError(error.errno or errno.ENOSPC, f'{reason} while this was written ({remedy})', str(path)) from error

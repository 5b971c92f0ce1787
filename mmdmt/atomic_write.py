"""Write a file whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Put a file in its place in one step, once all of it is on the disk.

    A process that is killed and a disk that is full leave the file as it was before.

    Args:
        path (Path): The file, which may exist; its folder must.

    Yields:
        Path: A path beside it for the block to write to. After an error it is removed.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     with atomic_write(Path(folder) / 'names.txt') as unfinished:
        ...         _ = unfinished.write_text('one')
        ...     [(path.name, path.read_text()) for path in Path(folder).iterdir()]
        [('names.txt', 'one')]
    """
    unfinished = path.with_name(f'{path.name}.tmp')
    try:
        yield unfinished
        with unfinished.open('rb+') as file:
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise

"""Lock a work_dir, so that one run at a time writes to it."""

import os
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


_NAMES = {'.lock', 'last_checkpoint', 'run_record.json', 'pseudo_labels', 'best_weights', 'pictures'}
_SUFFIXES = {'.pth', '.py', '.tmp'}


def lock_work_dir(work_dir: Path) -> int | None:
    """Keep other runs out of a folder for as long as this process lives, where the file system knows locks.

    The system gives a record lock up when the process ends, however that happens, and data workers do not inherit it.

    Raises:
        RuntimeError: If another run has the folder.
    """
    if fcntl is None:
        return None
    path = work_dir / '.lock'
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise RuntimeError(
            f'Another run is writing to work_dir={work_dir} (it holds {path}): wait for it, stop it, or give this one '
            'another --work-dir.'
        ) from None
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def enter_work_dir(work_dir: Path) -> int | None:
    """Take a folder for a run: nothing in it leads elsewhere, and no other run has it.

    Raises:
        RuntimeError: If another run has the folder, or something that the run would write to is a link.
    """
    link = next((path for path in _written_to(work_dir) if path.is_symlink()), None)
    if link is not None:
        raise RuntimeError(
            f'{link} is a link to {link.readlink()}, and nothing is written or removed through links in a work_dir: '
            'remove it, or give another --work-dir (which may be a link itself).'
        )
    return lock_work_dir(work_dir)


def _written_to(work_dir: Path) -> Iterator[Path]:
    """Yield what there is of all that a run writes to or removes, links included."""
    for path in sorted(work_dir.glob('*')):
        if path.name in _NAMES or path.suffix in _SUFFIXES:
            yield path
    for name in ('pseudo_labels', 'best_weights', 'pictures'):
        for place, folders, files in os.walk(work_dir / name):
            yield from (Path(place, inner) for inner in (*folders, *files))

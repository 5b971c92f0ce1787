"""Lock a work_dir, so that one run at a time writes to it."""

import os
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


def lock_work_dir(work_dir: Path) -> int | None:
    """Keep other runs out of a folder for as long as this process lives.

    A record lock: the system gives it up when the process ends, however that happens, and data workers do not inherit
    it. Where the file system knows no locks, nothing is locked.

    Args:
        work_dir (Path): Of the run.

    Returns:
        int | None: The file descriptor that holds the lock.

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

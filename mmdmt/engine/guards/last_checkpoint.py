"""The checkpoint that a run is resumed from."""

import zipfile
import zlib
from logging import Logger
from pathlib import Path

from mmdmt.atomic_write import atomic_write


def is_whole(checkpoint: Path) -> bool:
    """Tell whether a checkpoint is all there and as it was written, by the checksums that torch puts into it.

    torch itself does not look at them when it loads a file: a flipped bit would train on.
    """
    try:
        with zipfile.ZipFile(checkpoint) as archive:
            return archive.testzip() is None
    except (OSError, EOFError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error):
        return False


def check_checkpoint(checkpoint: str) -> None:
    """Check a checkpoint that the user names to be resumed from.

    Args:
        checkpoint (str): Its path; what is not on the local disk is left to MMEngine.

    Raises:
        RuntimeError: If it is damaged.
    """
    if Path(checkpoint).is_file() and not is_whole(Path(checkpoint)):
        raise RuntimeError(
            f'load_from={checkpoint} is damaged or incomplete and cannot be resumed from: name another checkpoint, or '
            'leave load_from out to resume from the last good one of work_dir.'
        )


def repair_last_checkpoint(work_dir: Path, logger: Logger) -> None:
    """Name the last good checkpoint in ``last_checkpoint`` if the one it names is not.

    MMEngine writes neither checkpoints nor this file in one step: a run that is killed in between, or a disk that is
    full, leaves them cut short. The good checkpoint written last takes their place, whatever its number: there may be
    files of a longer run in the same folder.

    Args:
        work_dir (Path): Of the run.
        logger (Logger): Is told what has been repaired.

    Raises:
        RuntimeError: If there is no good checkpoint.
    """
    pointer = work_dir / 'last_checkpoint'
    if not pointer.is_file():
        return
    named = pointer.read_text().strip()
    if named and is_whole(Path(named)):
        return
    found = f'{named} is damaged, incomplete or gone' if named else f'{pointer} is empty'
    folder = Path(named).parent if named and Path(named).parent.is_dir() else work_dir
    latest_first = sorted(folder.glob('iter_*.pth'), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    good = next((path for path in latest_first if is_whole(path)), None)
    if good is None:
        raise RuntimeError(
            f'{found}, and no checkpoint in {folder} is whole: start again without --resume, or name a good checkpoint '
            'with --cfg-options load_from=CHECKPOINT.'
        )
    with atomic_write(pointer) as unfinished:
        unfinished.write_text(str(good))
    logger.warning(f'{found}: the run is resumed from {good}, the last good checkpoint.')

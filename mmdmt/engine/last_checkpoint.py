"""The pointer to the checkpoint that a run is resumed from."""

from logging import Logger
from pathlib import Path


def repair_last_checkpoint(work_dir: Path, logger: Logger) -> None:
    """Name the latest checkpoint again if a run was killed while it was being named.

    MMEngine writes ``last_checkpoint`` when a checkpoint is complete, but not in one step: a run that is killed in
    between leaves it empty.

    Args:
        work_dir (Path): Of the run.
        logger (Logger): Is told what has been repaired.
    """
    pointer = work_dir / 'last_checkpoint'
    checkpoints = sorted(work_dir.glob('iter_*.pth'), key=lambda path: int(path.stem.removeprefix('iter_')))
    if pointer.is_file() and not pointer.read_text().strip() and checkpoints:
        unfinished = work_dir / 'last_checkpoint.tmp'
        unfinished.write_text(str(checkpoints[-1]))
        unfinished.replace(pointer)
        logger.warning(f'{pointer} was empty (the run was killed while writing it): it names {checkpoints[-1]} again.')

"""The checkpoint that a run starts from: one place decides, for all processes of the run."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from logging import Logger
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from mmdmt.atomic_write import atomic_write
from mmdmt.integrity import is_whole
from mmdmt.models.weights import read_checkpoint

POINTER = 'last_checkpoint'


class CheckpointFiles(NamedTuple):
    """Where a run keeps its ordinary checkpoints.

    Args:
        folder: On the local disk.
        template: File name with a placeholder for the iteration, such as ``iter_{}.pth``.
    """

    folder: Path
    template: str = 'iter_{}.pth'

    def by_iteration(self) -> dict[int, Path]:
        """Return the files that are there, the earliest iteration first."""
        pattern, found = self.folder / self.template, {}
        for path in pattern.parent.glob('*') if pattern.parent.is_dir() else ():
            iteration = self.iteration_of(path.name)
            if iteration is not None and path.is_file():
                found[iteration] = path
        return dict(sorted(found.items()))

    def iteration_of(self, name: str) -> int | None:
        """Return the iteration that a file name tells, or None if it is not an ordinary checkpoint's."""
        template = Path(self.template).name
        numbers = (int(digits) for digits in re.findall(r'\d{1,18}', name))
        return next((number for number in numbers if template.format(number) == name), None)


def checkpoint_hook(runner: Runner) -> CheckpointHook | None:
    """Return the hook that writes the checkpoints of a run, if there is one."""
    return next((hook for hook in runner.hooks if isinstance(hook, CheckpointHook)), None)


def checkpoint_files(runner: Runner) -> CheckpointFiles | None:
    """Return where a run keeps its checkpoints; None if that is not on the local disk."""
    hook = checkpoint_hook(runner)
    if hook is None:
        return CheckpointFiles(Path(runner.work_dir))
    out_dir = str(hook.out_dir or runner.work_dir)
    if '://' in out_dir or re.match(r'[\w.]{2,}:', out_dir):
        return None
    folder = Path(out_dir)
    # Until training starts the hook holds out_dir as the config has it, without the name of the work_dir.
    if out_dir != runner.work_dir and folder.name != Path(runner.work_dir).name:
        folder /= Path(runner.work_dir).name
    return CheckpointFiles(folder, hook.filename_tmpl)


def save_checkpoint(runner: Runner, iteration: int) -> None:
    """Write the ordinary checkpoint of an iteration, as the run's own CheckpointHook does; without one nothing.

    Args:
        runner (Runner): In training.
        iteration (int): How many iterations are done.
    """
    hook = checkpoint_hook(runner)
    if hook is not None and not hook.by_epoch:
        hook._save_checkpoint_with_step(runner, iteration, meta={'epoch': runner.epoch, 'iter': iteration})


def oldest_checkpoint(runner: Runner, iteration: int) -> int | None:
    """Return the iteration of the earliest ordinary checkpoint up to a given one; None if there is none."""
    files = checkpoint_files(runner)
    there = files.by_iteration() if files is not None else {}
    return next((number for number in there if number <= iteration), None)


@contextmanager
def best_checkpoint_alone(runner: Runner) -> Iterator[None]:
    """Let a validation in the block write the checkpoint of a best one, but not the last ordinary one again.

    MMEngine writes that again to remember the best in it. Where weights have moved on since it was written, it would
    hold those of another iteration.
    """
    hook = checkpoint_hook(runner)
    if hook is None:
        yield
        return
    last, hook.last_ckpt = hook.last_ckpt, None
    try:
        yield
    finally:
        hook.last_ckpt = last


def settle_checkpoint(runner: Runner) -> None:
    """Decide which checkpoint a run starts from, and hand MMEngine that one.

    Every process calls this. ``--resume`` goes on from the work_dir's own checkpoints. It is resumed from ``load_from``
    only if that was given beside the config (``--cfg-options load_from=...``), or if the work_dir holds no checkpoint
    and the config says both ``resume=True`` and ``load_from``; otherwise ``load_from`` is what the run once started
    from.

    Args:
        runner (Runner): About to load it; ``_load_from`` and ``_resume`` are set.

    Raises:
        RuntimeError: If there are checkpoints, but none that can be resumed from.
    """
    if not runner._resume:
        return
    decision: list[Any] = [None]
    if is_main_process():
        decision = [_decide(runner)]
    broadcast_object_list(decision)
    runner._load_from, runner._resume = decision[0]


def _decide(runner: Runner) -> tuple[str | None, bool]:
    files, given = checkpoint_files(runner), runner._load_from
    config = _written_config(runner) if given is not None else {}
    if files is None or (given is not None and config.get('load_from') != given):
        if given is not None:
            check_checkpoint(given)
        return given, True
    found = last_good_checkpoint(Path(runner.work_dir), files, runner.logger)
    if found is not None:
        if given is not None:
            runner.logger.info(f'load_from={given} of the config is what the run started from: it is not resumed.')
        return str(found), True
    if given is not None and config.get('resume'):
        check_checkpoint(given)
        return given, True
    remedy = 'at its first iteration' + (f', from the weights of load_from={given}' if given is not None else '')
    runner.logger.warning(f'There is nothing to resume in work_dir={runner.work_dir}: the run starts {remedy}.')
    return given, False


def _written_config(runner: Runner) -> Mapping[str, Any]:
    """Return the config as its file says, without what was given beside it; empty if there is no file."""
    filename = runner.cfg.filename
    if not filename or not Path(filename).is_file():
        return {}
    try:
        config: Mapping[str, Any] = Config.fromfile(filename)
    except Exception:  # it has changed since: then everything counts as given beside it
        return {}
    return config


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


def last_good_checkpoint(work_dir: Path, files: CheckpointFiles, logger: Logger) -> Path | None:
    """Find the last good checkpoint of the latest run in a folder.

    ``last_checkpoint`` names it. Only the name counts, not the folder, so that a run that was copied or moved resumes
    itself. MMEngine writes neither checkpoints nor this file in one step: where what is named is damaged, or the name
    is lost, the good checkpoint of the highest iteration takes its place, among those of the run that started last,
    up to the iteration that was named. There may be files of an earlier, longer run in the same folder.

    Args:
        work_dir (Path): Of the run.
        files (CheckpointFiles): Its checkpoints.
        logger (Logger): Is told what takes the place of what is named.

    Returns:
        Path | None: The checkpoint, or None if there is nothing to resume.

    Raises:
        RuntimeError: If there are checkpoints, but none is good.
    """
    pointer, there = work_dir / POINTER, files.by_iteration()
    text = pointer.read_bytes().decode(errors='replace').strip() if pointer.is_file() else None
    name = re.split(r'[\\/]', text)[-1] if text else ''
    named = (files.folder / files.template).parent / name
    if name and name != '..' and named.is_file() and is_whole(named):
        return named
    if text is None and not there:
        return None
    what = f'{pointer} is missing' if text is None else f'{pointer} is empty' if not text else None
    found = what or f'{named} is damaged, incomplete or gone'
    limit = files.iteration_of(name)
    good = _latest([path for number, path in there.items() if limit is None or number <= limit])
    if good is None:
        raise RuntimeError(
            f'{found}, and no checkpoint in {files.folder} is whole: start again without --resume, or name a good '
            'checkpoint with --cfg-options load_from=CHECKPOINT.'
        )
    with atomic_write(pointer, 'make room and go on with --resume') as unfinished:
        unfinished.write_text(str(good))
    logger.warning(f'{found}: the run is resumed from {good}, the last good checkpoint.')
    return good


def _latest(paths: list[Path]) -> Path | None:
    """Return the checkpoint of the highest iteration among the good ones of the run that started last."""
    known = []
    for path in paths:
        try:
            checkpoint = read_checkpoint(path, 'a checkpoint', mmap=True)
            state = checkpoint.get('dmt') or {}
            # A run is known by the time at which it started.
            known.append((str(state.get('run', '')), int(checkpoint['meta']['iter']), path))
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
    return max(known)[2] if known else None

"""Keep the record of a run: which checkpoints in its work_dir are whole and its own, and what it was set to do."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import Runner

from mmdmt.atomic_write import atomic_write
from mmdmt.integrity import digest_of, seal, unseal

NAME = 'run_record.json'
POINTER = 'last_checkpoint'
"""MMEngine's own file, with the path of the checkpoint that it has written last."""
ROOM = 'make room and go on with --resume'


@dataclass(frozen=True)
class Noted:
    """A checkpoint that was written to its end; a run is not resumed from that of a best validation."""

    iteration: int
    sha256: str
    resumable: bool


@dataclass
class RunRecord:
    """What a run notes of itself, in a sealed file of its work_dir.

    A checkpoint is noted as soon as it is written. Until then it does not count: a run that is killed in between is
    resumed from the one before.

    Args:
        work_dir: Of the run.
        folder: Of its checkpoints; None if that is not on the local disk, and no checkpoint is noted.
        run: Identifier of the run.
        settings: Of the run, as plain values.
        checkpoints: Those noted, by their file name in the folder.
    """

    work_dir: Path
    folder: Path | None
    run: str = ''
    settings: dict[str, Any] = field(default_factory=dict)
    checkpoints: dict[str, Noted] = field(default_factory=dict)

    @classmethod
    def read(cls, work_dir: Path, folder: Path | None) -> 'RunRecord | None':
        """Read the record of a work_dir; None if it has none.

        Raises:
            ValueError: If it is damaged.
        """
        path = work_dir / NAME
        if not path.is_file():
            return None
        try:
            fields = unseal(path.read_text(errors='replace'))
            checkpoints = {name: Noted(**noted) for name, noted in fields['checkpoints'].items()}
            return cls(work_dir, folder, fields['run'], dict(fields['settings']), checkpoints)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ValueError(
                f'{path}, which says what checkpoints are whole, is damaged ({error}): name the checkpoint to go on '
                'from with --cfg-options load_from=CHECKPOINT, or start again without --resume.'
            ) from error

    def begin(self, run: str, settings: Mapping[str, Any], iteration: int) -> None:
        """Write the record of a run that goes on at an iteration, and forget checkpoints after it, of another run."""
        self.run, self.settings = run, dict(settings)
        self.checkpoints = {name: noted for name, noted in self.checkpoints.items() if noted.iteration <= iteration}
        self._write()
        if self.folder is None:
            return
        (self.work_dir / POINTER).unlink(missing_ok=True)
        for latest in self.to_resume()[:1]:
            with atomic_write(self.work_dir / POINTER, ROOM) as unfinished:
                unfinished.write_text(str(latest))

    def note(self, name: str, iteration: int, resumable: bool) -> None:
        """Note a checkpoint that has been written, and forget those that are gone."""
        if self.folder is None:
            return
        self.checkpoints[name] = Noted(iteration, digest_of(self.folder / name), resumable)
        self.checkpoints = {name: noted for name, noted in self.checkpoints.items() if (self.folder / name).is_file()}
        self._write()

    def to_resume(self) -> list[Path]:
        """Return the noted checkpoints that a run is resumed from, the latest first."""
        if self.folder is None:
            return []
        noted = {name: noted.iteration for name, noted in self.checkpoints.items() if noted.resumable}
        return [self.folder / name for name in sorted(noted, key=noted.__getitem__, reverse=True)]

    @property
    def oldest(self) -> int | None:
        """The iteration of the earliest noted checkpoint that a run is resumed from, if any."""
        return min((noted.iteration for noted in self.checkpoints.values() if noted.resumable), default=None)

    def knows(self, path: Path) -> bool:
        """Whether a file has the content of a noted checkpoint, whatever its name."""
        return path.is_file() and digest_of(path) in {noted.sha256 for noted in self.checkpoints.values()}

    def own_path(self, value: Any) -> str | None:
        """Return where the noted checkpoint of the name in a path lies in the run's folder; None without one."""
        name = re.split(r'[\\/]', value)[-1] if isinstance(value, str) else ''
        if name not in self.checkpoints or self.folder is None:
            return None
        own = self.folder / name
        return None if own.is_symlink() or own.is_dir() else str(own)

    def _write(self) -> None:
        noted = {name: asdict(noted) for name, noted in self.checkpoints.items()}
        text = seal({'run': self.run, 'settings': self.settings, 'checkpoints': noted})
        with atomic_write(self.work_dir / NAME, ROOM) as unfinished:
            unfinished.write_text(text)


def note_checkpoints(runner: Runner, record: RunRecord, then: Callable[[], None] = lambda: None) -> None:
    """Note every checkpoint that a runner writes from now on; MMEngine has no hook after a checkpoint is written.

    After each the main process calls ``then``.
    """
    write, hook = runner.save_checkpoint, checkpoint_hook(runner.hooks)

    def write_and_note(out_dir: str, filename: str, *args: Any, meta: dict[str, Any] | None = None, **how: Any) -> None:
        write(out_dir, filename, *args, meta=meta, **how)
        ours = record.folder == Path(out_dir)  # a hook of the user's may write others elsewhere
        if is_main_process() and ours and hook is not None and meta is not None:
            record.note(filename, meta['iter'], resumable=filename == hook.filename_tmpl.format(meta['iter']))
            then()

    runner.save_checkpoint = write_and_note


def checkpoint_hook(hooks: Sequence[Hook]) -> CheckpointHook | None:
    """Return the hook that writes the checkpoints of a run, if there is one."""
    return next((hook for hook in hooks if isinstance(hook, CheckpointHook)), None)


def checkpoint_folder(hook: CheckpointHook | None, work_dir: str) -> Path | None:
    """Return the folder of a run's checkpoints, before training starts; None if that is not on the local disk."""
    out_dir = str((hook and hook.out_dir) or work_dir)
    if '://' in out_dir or re.match(r'[\w.]{2,}:', out_dir):
        return None
    # As CheckpointHook will have it, which does not know it yet.
    return Path(out_dir) if out_dir == work_dir else Path(out_dir, Path(work_dir).name)


def checkpoint_files(hook: CheckpointHook | None, folder: Path) -> list[Path]:
    """Return the files in a folder that are named as ordinary checkpoints, noted or not, by the time of writing."""
    pattern = re.sub(r'{[^}]*}', '*', hook.filename_tmpl) if hook is not None else 'iter_*.pth'
    return sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime)


def save_checkpoint(runner: Runner, iteration: int) -> None:
    """Write the ordinary checkpoint of an iteration, as the run's own CheckpointHook does; without one nothing."""
    hook = checkpoint_hook(runner.hooks)
    if hook is not None and not hook.by_epoch:
        hook._save_checkpoint_with_step(runner, iteration, meta={'epoch': runner.epoch, 'iter': iteration})


@contextmanager
def best_checkpoint_alone(hooks: Sequence[Hook]) -> Iterator[None]:
    """Write the checkpoint of a best validation in the block, but not the last ordinary one again.

    MMEngine does so to remember the best in it, with weights that may have moved on since.
    """
    hook = checkpoint_hook(hooks)
    if hook is None:
        yield
        return
    last, hook.last_ckpt = hook.last_ckpt, None
    try:
        yield
    finally:
        hook.last_ckpt = last

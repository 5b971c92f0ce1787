"""End a run cleanly, also at Ctrl-C and SIGTERM."""

import atexit
import gc
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.dist import get_world_size, is_main_process
from mmengine.runner import Runner
from torch import distributed

from mmdmt.engine.peers_of_run import averaged_weights
from mmdmt.engine.run_record import POINTER, checkpoint_hook, save_checkpoint
from mmdmt.stop_signal import SIGNAL

GRACE = 30.0
"""Seconds for which the other processes of a run wait for the one that writes the checkpoint."""

ONE_EVENT = 3.0
"""Seconds in which a process of several takes signals for one."""


class CleanStop:
    """End a run at SIGINT and SIGTERM with a sentence in place of a stack trace, and exit code 128 + signal.

    A run ends after an iteration, a validated image or a batch that is labeled. A checkpoint of the iterations done is
    written first, where they can be resumed from: not while a phase gives way to the next.
    """

    def __init__(self) -> None:
        self.done = 0
        """How many iterations are done: MMEngine counts one only after the hooks that follow it."""
        self._started_at = 0
        self._runner: Runner | None = None
        self._changes_phase = False

    def guard(self, runner: Runner) -> None:
        """Defer signals while the training loop of a run is at work; they are given back however it ends."""
        loop = runner.train_loop
        run = loop.run

        def run_guarded() -> Any:
            self._runner = runner
            try:
                with SIGNAL.deferred(self._end, ONE_EVENT if get_world_size() > 1 else 0.0):
                    return run()
            finally:
                self._runner = None

        loop.run = run_guarded

    def start(self, iteration: int) -> None:
        """Note how many iterations are done when the run starts: they need not be saved."""
        self.done = self._started_at = iteration

    @contextmanager
    def phase_changes(self) -> Iterator[None]:
        """Keep signals from ending a validation in the block: what it decides has to be in the next checkpoint."""
        self._changes_phase = True
        try:
            yield
        finally:
            self._changes_phase = False

    def end_after_iteration(self) -> None:
        """End the run if a signal has come, saving the iterations done first."""
        if SIGNAL.number is not None:
            self._save()
        SIGNAL.end_if_pending()

    def end_amid_validation(self) -> None:
        """Do the same after a validated image, when the peers hold averaged weights."""
        if SIGNAL.number is None or self._runner is None or self._changes_phase:
            return
        with averaged_weights(self._runner):  # the peers' own come back
            self._save()
        SIGNAL.end_if_pending()

    def _save(self) -> None:
        hook = checkpoint_hook(self._runner) if self._runner is not None else None
        if hook is None or not is_main_process() or self.done == self._started_at:
            return
        if Path(str(hook.last_ckpt)).name != hook.filename_tmpl.format(self.done):
            save_checkpoint(self._runner, self.done)

    def _end(self, number: int) -> None:
        runner = self._runner
        if not is_main_process():
            time.sleep(GRACE)  # the launcher ends this process when the main one has written the checkpoint
        elif runner is not None:
            pointer = Path(runner.work_dir) / POINTER
            remedy = (
                f'--resume goes on from {pointer.read_text(errors="replace").strip()}'
                if pointer.is_file()
                else 'no checkpoint has been written, so that it starts anew'
            )
            runner.logger.warning(f'{signal.Signals(number).name} ends the run at iteration {self.done}: {remedy}.')
        raise SystemExit(128 + number)


def leave_group_at_exit() -> None:
    """Destroy the process group when this process ends; call it only once a run has ended well.

    Otherwise some runs end in "terminate called without an active exception": a thread of gloo may let its last message
    go while Python is shutting down (https://github.com/pytorch/pytorch/issues/190489). After an error the group would
    wait for messages that nobody sends.
    """
    atexit.unregister(_leave_group)
    atexit.register(_leave_group)


def _leave_group() -> None:
    gc.collect()  # a runner is full of cycles, and its model wrapper holds on to the group
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()

"""End a run cleanly at Ctrl-C and SIGTERM."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from multiprocessing.util import Finalize
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from mmengine.dist import get_world_size, is_main_process
from mmengine.runner import Runner

from mmdmt.engine.averaging import averaged_weights
from mmdmt.engine.run_record import POINTER, save_checkpoint

WORTH_SAVING = 60.0
"""Seconds of work since the last checkpoint from which on a stop writes another one."""
GRACE = 30.0
"""Seconds for which the other processes of a run wait for the one that writes the checkpoint."""

SOON = 0.01
"""Seconds after which a signal that has come while data workers were started is looked at again."""

ONE_EVENT = 3.0
"""Seconds in which a process of several takes signals for one."""

# What is replaced: a handler of the user's (or of a scheduler's) stays.
_DEFAULTS: dict[int, Any] = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}


_STARTING = {('_launch', 'popen_fork.py'), ('__init__', 'dataloader.py')}
"""Functions of Python and torch, and their files, that start data workers."""


class Doing(Enum):
    """What a run does, as far as a stop is concerned."""

    TRAINING = auto()
    """Iterations: the state at the end of the present one can be saved."""
    VALIDATING = auto()
    """The state does not change, and can be saved at once."""
    OTHER = auto()
    """Labeling and all else, which is done again when the run is resumed."""


class CleanStop:
    """End a run at SIGINT and SIGTERM with a sentence in place of a stack trace, and exit code 128 + signal.

    If the last checkpoint is older than a minute of work, the present iteration is finished and a checkpoint of it
    written first; else the run ends at once. A checkpoint being written is finished in any case. A second signal waits
    for nothing.
    """

    def __init__(self) -> None:
        self._runner: Runner | None = None
        self._loop: CodeType | None = None
        self._process = 0
        self._held = self._deferred = False
        self._pending: int | None = None
        self._received_at = 0.0
        self._doing = Doing.OTHER
        self._saved_at = 0.0
        self._done = 0

    def start(self, runner: Runner) -> None:
        """Watch for signals from now on; call it from within the training loop."""
        self._saved_at, self._doing, self._done = time.monotonic(), Doing.OTHER, runner.iter
        if threading.current_thread() is not threading.main_thread():
            return  # only there can handlers be set
        self._runner, self._process = runner, os.getpid()
        self._loop = type(runner.train_loop).run.__code__
        self._held, self._pending = False, None
        for number, default in _DEFAULTS.items():
            present = signal.getsignal(number)
            # One of ours is there if a run before, in the same process, has ended with an error.
            if present == default or isinstance(getattr(present, '__self__', None), CleanStop):
                signal.signal(number, self._receive)

    def does(self, doing: Doing) -> None:
        """Say what the run does from now on; end it if a signal has come that need not wait."""
        self._doing = doing
        if doing is Doing.VALIDATING and self._pending is not None and not self._deferred:
            self._save_amid_validation()
        self.release()

    def count(self, iteration: int) -> None:
        """Say how many iterations are done: MMEngine counts one only after the hooks that follow it."""
        self._done = iteration

    def hold(self) -> None:
        """Let nothing end the run until :meth:`release`."""
        self._held = True

    def saving(self) -> None:
        """Say that a checkpoint is being written, which nothing may end until :meth:`release`."""
        self._held, self._saved_at = True, time.monotonic()

    def release(self) -> None:
        """End the run if a signal has come since :meth:`hold`, unless its work is to be saved first."""
        self._held = False
        if self._pending is not None and not self._waits():
            self._end(self._pending)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Let no signal end the run in the block if there is work to save, which can be saved only after it."""
        self._deferred = self._worth_saving()
        try:
            yield
        finally:
            self._deferred = False

    def end_iteration(self, iteration: int) -> None:
        """End the run if a signal has come during an iteration, saving the work first.

        Args:
            iteration (int): How many iterations are done.
        """
        self.count(iteration)
        if self._pending is not None and not self._deferred:
            self._save(iteration)
            self._end(self._pending)

    def end_validation(self, iteration: int) -> None:
        """Do the same after a validation, when every hook has taken back what it did for it."""
        self._doing, self._held = Doing.OTHER, False
        self.end_iteration(iteration)

    @property
    def is_pending(self) -> bool:
        """Whether a signal has come that waits."""
        return self._pending is not None

    def finish(self) -> None:
        """Give the signals back."""
        self._runner = None
        for number, default in _DEFAULTS.items():
            if signal.getsignal(number) == self._receive:
                signal.signal(number, default)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._process:
            # A forked data worker: the signal reaches it, too, but it is the run that ends it.
            if number != signal.SIGINT:
                signal.signal(number, signal.SIG_DFL)
                signal.raise_signal(number)
        elif not self._is_training(frame):  # an error has ended the run, and the process lives on
            self.finish()
            signal.raise_signal(number)
        elif _is_starting_workers(frame) and self._receive_soon(number):
            pass
        elif self._pending is not None:
            # A launcher sends its processes the signal that they have got themselves.
            if get_world_size() == 1 or time.monotonic() - self._received_at > ONE_EVENT:
                self._end(number)
        else:
            self._pending, self._received_at = number, time.monotonic()
            if not self._held and not self._waits():
                if self._doing is Doing.VALIDATING:
                    self._save_amid_validation()
                self._end(number)

    def _receive_soon(self, number: int) -> bool:
        """Let a signal come again in a moment; False where the timer is somebody else's."""
        if signal.getsignal(signal.SIGALRM) != signal.SIG_DFL:
            return False

        def again(_: int, frame: FrameType | None) -> None:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            self._receive(number, frame)

        signal.signal(signal.SIGALRM, again)
        signal.setitimer(signal.ITIMER_REAL, SOON)
        return True

    def _waits(self) -> bool:
        """Whether the end waits for that of the iteration; processes that train together end together."""
        together = self._doing is Doing.TRAINING and (self._worth_saving() or get_world_size() > 1)
        return self._deferred or together

    def _worth_saving(self) -> bool:
        return time.monotonic() - self._saved_at >= WORTH_SAVING

    def _save_amid_validation(self) -> None:
        if self._runner is not None:
            with averaged_weights(self._runner):  # which the peers hold in a validation: their own come back
                self._save(self._runner.iter)

    def _save(self, iteration: int) -> None:
        if not is_main_process():
            time.sleep(GRACE)  # the launcher ends this process when the main one has written the checkpoint
        elif self._runner is not None and self._worth_saving():
            save_checkpoint(self._runner, iteration)

    def _is_training(self, frame: FrameType | None) -> bool:
        while frame is not None and frame.f_code is not self._loop:
            frame = frame.f_back
        return frame is not None

    def _end(self, number: int) -> None:
        runner = self._runner
        self.finish()
        # torch raises an error there for each data worker that ends otherwise than it should; now all of them may.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if runner is not None and is_main_process():
            pointer = Path(runner.work_dir) / POINTER
            remedy = (
                f'--resume goes on from {pointer.read_text(errors="replace").strip()}'
                if pointer.is_file()
                else 'no checkpoint has been written, so that it starts anew'
            )
            runner.logger.warning(f'{signal.Signals(number).name} ends the run at iteration {self._done}: {remedy}.')
        Finalize(None, _kill_workers, exitpriority=0)  # at exit, before multiprocessing ends them itself
        raise SystemExit(128 + number)


def _kill_workers() -> None:
    """Kill the data workers that are left at exit.

    Python sends them a SIGTERM and then waits for them. One that has just been forked may lose it: CPython drops the
    signals that come before it has prepared the new process, and waits forever.
    """
    for process in multiprocessing.active_children():
        if process.daemon:
            process.kill()


def _is_starting_workers(frame: FrameType | None) -> bool:
    """Whether data workers are being started.

    Python prints and drops what is raised in the hooks around a fork, and torch prints an error of its own about an
    iterator that has got only some of its workers.
    """
    while frame is not None:
        if (frame.f_code.co_name, Path(frame.f_code.co_filename).name) in _STARTING:
            return True
        frame = frame.f_back
    return False

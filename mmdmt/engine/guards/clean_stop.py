"""End a run cleanly at Ctrl-C and SIGTERM."""

import os
import signal
import threading
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from mmengine.dist import is_main_process
from mmengine.runner import Runner

# What is replaced: a handler of the user's (or of a scheduler's) stays.
_DEFAULTS: dict[int, Any] = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}


class CleanStop:
    """End a run at SIGINT and SIGTERM with a sentence in place of a stack trace, and exit code 128 + signal.

    A run ends at once, labeling included, except that a checkpoint being written is finished first; a second signal
    does not wait for that.
    """

    def __init__(self) -> None:
        self._runner: Runner | None = None
        self._loop: CodeType | None = None
        self._process = 0
        self._held = False
        self._pending: int | None = None

    def start(self, runner: Runner) -> None:
        """Watch for signals from now on; call it from within the training loop."""
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

    def hold(self) -> None:
        """Let nothing end the run until :meth:`release`: a checkpoint is being written."""
        self._held = True

    def release(self) -> None:
        """End the run if a signal has come since :meth:`hold`."""
        self._held = False
        if self._pending is not None:
            self._end(self._pending)

    def finish(self) -> None:
        """Give the signals back."""
        self._runner = None
        for number, default in _DEFAULTS.items():
            if signal.getsignal(number) == self._receive:
                signal.signal(number, default)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._process:
            # A forked data worker: Ctrl-C reaches it, too, but it is the run that ends it.
            if number != signal.SIGINT:
                signal.signal(number, signal.SIG_DFL)
                signal.raise_signal(number)
        elif not self._is_training(frame):  # an error has ended the run, and the process lives on
            self.finish()
            signal.raise_signal(number)
        elif self._held and self._pending is None:
            self._pending = number
        else:
            self._end(number)

    def _is_training(self, frame: FrameType | None) -> bool:
        while frame is not None and frame.f_code is not self._loop:
            frame = frame.f_back
        return frame is not None

    def _end(self, number: int) -> None:
        runner = self._runner
        self.finish()
        if runner is not None and is_main_process():
            pointer = Path(runner.work_dir) / 'last_checkpoint'
            remedy = (
                f'--resume goes on from {pointer.read_text().strip()}'
                if pointer.is_file()
                else 'no checkpoint has been written, so that it starts anew'
            )
            runner.logger.warning(f'{signal.Signals(number).name} ends the run at iteration {runner.iter}: {remedy}.')
        raise SystemExit(128 + number)

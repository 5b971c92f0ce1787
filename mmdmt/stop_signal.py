"""Defer Ctrl-C and SIGTERM to a moment at which a run can end; data workers leave both to the run."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from multiprocessing.util import Finalize
from types import FrameType
from typing import Any

# Only these are replaced: a handler of the user's (or of a scheduler's) stays.
_DEFAULTS: dict[int, Any] = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}


class StopSignal:
    """A SIGINT or SIGTERM of this process, from its arrival until the run can end.

    The handler only notes the signal: an error in the middle of a fork or of torch's loading of data would be lost. A
    second signal ends the process at once, unless a checkpoint is being written.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self.is_writing = False
        self._end: Callable[[int], None] | None = None
        self._process, self._one_event, self._received_at = 0, 0.0, 0.0

    @contextmanager
    def deferred(self, end: Callable[[int], None], one_event: float = 0.0) -> Iterator[None]:
        """Defer signals in the block; :meth:`end_if_pending` calls ``end`` with the number of one.

        Signals within ``one_event`` seconds count as one: a launcher passes on what its processes have got themselves.
        """
        self.number, self.is_writing, self._end = None, False, end
        self._process, self._one_event = os.getpid(), one_event
        in_main = threading.current_thread() is threading.main_thread()  # only there can handlers be set
        taken = [number for number, default in _DEFAULTS.items() if in_main and signal.getsignal(number) == default]
        for number in taken:
            signal.signal(number, self._receive)
        try:
            yield
        finally:
            self.number, self._end = None, None
            for number in taken:
                signal.signal(number, _DEFAULTS[number])

    def end_if_pending(self) -> None:
        """End the run if a signal has come."""
        self.is_writing = False
        if self.number is not None and self._end is not None:
            self._end(self.number)

    def _receive(self, number: int, _: FrameType | None) -> None:
        if os.getpid() != self._process:
            # A process that has just been forked: Ctrl-C reaches it, too, but it is the run that ends it.
            if number != signal.SIGINT:
                signal.signal(number, signal.SIG_DFL)
                signal.raise_signal(number)
        elif self.number is None:
            self.number, self._received_at = number, time.monotonic()
            name = signal.Signals(number).name
            # Not by way of sys.stderr, which may be in the middle of something.
            os.write(2, f'{name}: the run ends after what it is doing; once more ends it at once.\n'.encode())
        elif not self.is_writing and time.monotonic() - self._received_at >= self._one_event:
            kill_workers()
            os._exit(128 + number)


SIGNAL = StopSignal()
"""That of this process."""


class LeaveSignals:
    """Make data workers leave Ctrl-C and SIGTERM to the run that has started them: a ``worker_init_fn``.

    Schedulers send SIGTERM to every process; a worker that dies of it would end the run without a checkpoint. The run
    closes the queues of its workers and kills those that are left when it exits.

    Args:
        then (Callable, optional): What else a worker does at its start. Defaults to None.
    """

    def __init__(self, then: Callable[[int], Any] | None = None) -> None:
        self.then = then
        _kill_workers_at_exit()

    def __call__(self, worker: int) -> None:
        """Set the signals of this process; a data loader calls it in each worker."""
        for number in _DEFAULTS:
            signal.signal(number, signal.SIG_IGN)
        if self.then is not None:
            self.then(worker)


@cache
def _kill_workers_at_exit() -> None:
    """Kill what is left of data workers before Python sends them a SIGTERM, which they ignore, and waits."""
    Finalize(None, kill_workers, exitpriority=0)


def kill_workers() -> None:
    """Kill the data workers of this process that are left."""
    # torch raises an error there for each data worker that ends otherwise than it should; now all of them may.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for process in multiprocessing.active_children():
        if process.daemon:
            process.kill()

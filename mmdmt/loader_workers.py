"""What data workers do about signals that are meant for the run."""

import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any


class OutliveSignals:
    """Let a data worker leave Ctrl-C and the first SIGTERM to the run that has started it.

    Schedulers and container runtimes send SIGTERM to every process. A worker that dies of it makes torch raise an error
    in the run, which then ends with a stack trace in place of a checkpoint. The run ends its workers: by closing their
    queues or, five seconds later, by a SIGTERM of its own, which is the second.

    Args:
        then (Callable, optional): What else a worker does at its start. Defaults to None.
    """

    def __init__(self, then: Callable[[int], Any] | None = None) -> None:
        self.then = then

    def __call__(self, worker: int) -> None:
        """Set the signals of this process; a data loader calls it in each worker."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, leave_first_to_the_run)
        if self.then is not None:
            self.then(worker)


def leave_first_to_the_run(number: int, frame: FrameType | None) -> None:
    """Ignore a signal while the parent lives, and end at the next one, which is the parent's."""
    signal.signal(number, _leave)
    if os.getppid() == 1:  # the run is gone
        _leave(number, frame)


def _leave(number: int, frame: FrameType | None) -> None:
    os._exit(0)  # as torch's own workers end when their parent says so

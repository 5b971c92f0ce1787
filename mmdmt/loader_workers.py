"""What data workers do about signals that are meant for the run."""

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from threading import Thread
from types import TracebackType
from typing import Any


class OutliveSignals:
    """Let a data worker leave Ctrl-C and SIGTERM to the run that has started it.

    Schedulers and container runtimes send SIGTERM to every process. A worker that dies of it makes torch raise an error
    in the run, which then ends with a stack trace in place of a checkpoint. The run still ends its workers: by closing
    their queues or by a SIGTERM of its own.

    Args:
        then (Callable, optional): What else a worker does at its start. Defaults to None.
    """

    def __init__(self, then: Callable[[int], Any] | None = None) -> None:
        self.then = then

    def __call__(self, worker: int) -> None:
        """Set the signals of this process; a data loader calls it in each worker."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.excepthook = partial(_report, sys.excepthook)
        if hasattr(signal, 'sigwaitinfo'):  # where there is none, nobody sends SIGTERM to groups
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
            Thread(target=_obey_parent, args=(os.getppid(),), daemon=True).start()
        if self.then is not None:
            self.then(worker)


def _report(
    report: Callable[..., Any], kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Report an error, unless the run has hung up: it ends while a batch is handed over (multiprocessing's sharer)."""
    if not issubclass(kind, ConnectionError | EOFError):
        report(kind, error, trace)


def _obey_parent(parent: int) -> None:
    """End this process at the SIGTERM of its parent, and at that of any other once the parent is gone."""
    while True:
        sender = signal.sigwaitinfo({signal.SIGTERM}).si_pid
        if sender == parent or os.getppid() != parent:
            os._exit(0)  # as torch's own workers end when their parent says so

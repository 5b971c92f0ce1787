"""A disk that is full, as far as a process sees it."""

import resource
import signal
from contextlib import contextmanager


@contextmanager
def full_disk(room=16):
    """In the block, no file grows beyond so many bytes: the system cuts writes short, then fails them."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)

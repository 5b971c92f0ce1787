"""Destroy the process group at exit."""

import atexit
import gc

from torch import distributed


def leave_group_at_exit() -> None:
    """Destroy the process group when this process ends, as torch asks of every script and the toolboxes' do not.

    Otherwise some runs that have done all they should end in "terminate called without an active exception": a thread
    of gloo may let its last message go while Python is already shutting down
    (https://github.com/pytorch/pytorch/issues/190489). Call it only once a run has ended well: after an error the
    group would wait for messages that nobody sends.
    """
    atexit.unregister(_leave_group)
    atexit.register(_leave_group)


def _leave_group() -> None:
    gc.collect()  # a runner is full of cycles, and its model wrapper holds on to the group
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()

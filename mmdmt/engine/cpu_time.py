"""Log the CPU time of a process."""

import os

from mmengine.logging import print_log


def log_cpu_time() -> None:
    """Log how much CPU time this process and those that it has started and that have ended took, in seconds."""
    used = os.times()
    seconds = used.user + used.system + used.children_user + used.children_system
    print_log(f'CPU time: {seconds:.0f} s.', logger='current')

"""Log the CPU time of a process."""

import os

from mmengine.logging import print_log


def log_cpu_time() -> float:
    """Log and return the seconds of CPU time of this process and of those that it has started and that have ended."""
    used = os.times()
    seconds = used.user + used.system + used.children_user + used.children_system
    print_log(f'CPU time: {seconds:.0f} s.', logger='current')
    return round(seconds, 1)

"""Show the progress of long work: a bar on a terminal, log lines elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from mmengine.dist import is_main_process
from mmengine.logging import print_log
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

SECONDS_BETWEEN_LINES = 30


class ProgressReport:
    """Progress through ``total`` steps, shown by the main process."""

    def __init__(self, title: str, total: int) -> None:
        self.title, self.total, self.done = title, total, 0
        self._started = self._last_line = time.monotonic()
        columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.bar = Progress(*columns, TextColumn('ETA'), TimeRemainingColumn(), disable=not is_main_process())
        self.bar.disable = self.bar.disable or not self.bar.console.is_terminal
        self._task = self.bar.add_task(title, total=total)

    def update(self, steps: int) -> None:
        """Count so many more steps as done."""
        self.done += steps
        self.bar.advance(self._task, steps)
        now = time.monotonic()
        if self.bar.disable and now - self._last_line > SECONDS_BETWEEN_LINES:
            self._last_line = now
            left = (now - self._started) / self.done * (self.total - self.done)
            print_log(f'{self.title} {self.done}/{self.total}, ETA {left:.0f} s', logger='current')


@contextmanager
def progress(title: str, total: int) -> Iterator[ProgressReport]:
    """Show the progress of what happens in the context."""
    report = ProgressReport(title, total)
    with report.bar:
        yield report

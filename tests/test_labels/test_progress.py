import io

import pytest
from rich.console import Console

from mmdmt.labels import progress as module
from mmdmt.labels.progress import progress


@pytest.fixture
def lines(monkeypatch):
    """Log lines, in a world where every step takes ten seconds."""
    logged, now = [], iter(range(0, 10_000, 10))
    monkeypatch.setattr(module, 'print_log', lambda text, logger: logged.append(text))
    monkeypatch.setattr(module.time, 'monotonic', lambda: next(now))
    return logged


def console(monkeypatch, terminal):
    shown = Console(file=io.StringIO(), force_terminal=terminal, width=100)
    monkeypatch.setattr('rich.progress.get_console', lambda: shown)
    return shown.file


@pytest.mark.parametrize('terminal', [True, False])
def test_a_terminal_shows_a_bar_and_elsewhere_a_line_is_logged_now_and_then(lines, monkeypatch, terminal):
    shown = console(monkeypatch, terminal)
    with progress('labeling', 12) as report:
        for _ in range(12):
            report.update(1)
    assert [word in shown.getvalue() for word in ('labeling', 'ETA', '12/12')] == [terminal] * 3
    # Every 40 s: more than 30 s after the line before.
    every = ['labeling 4/12, ETA 80 s', 'labeling 8/12, ETA 40 s', 'labeling 12/12, ETA 0 s']
    assert lines == ([] if terminal else every)

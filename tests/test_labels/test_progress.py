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


def test_a_terminal_shows_a_bar_with_the_time_left_and_no_lines(lines, monkeypatch):
    shown = console(monkeypatch, terminal=True)
    with progress('labeling', 12) as report:
        for _ in range(12):
            report.update(1)
    assert 'labeling' in shown.getvalue()
    assert 'ETA' in shown.getvalue()
    assert '12/12' in shown.getvalue()
    assert lines == []


def test_elsewhere_a_line_is_logged_now_and_then(lines, monkeypatch):
    shown = console(monkeypatch, terminal=False)
    with progress('labeling', 12) as report:
        for _ in range(12):
            report.update(1)
    assert shown.getvalue() == ''
    # Every 40 s: more than 30 s after the line before.
    assert lines == ['labeling 4/12, ETA 80 s', 'labeling 8/12, ETA 40 s', 'labeling 12/12, ETA 0 s']

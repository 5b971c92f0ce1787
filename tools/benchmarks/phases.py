"""Whole runs of the demo's networks: phase changes, resuming, waiting for data."""

import tempfile
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import networks
from measure import Rows
from mmengine.runner import Runner

from mmdmt.engine import dmt_hook, phase_labels
from mmdmt.engine.phase_loop import PhaseLoader

WORKERS = (0, 2, 4)


def resume_time(repeats: int, iterations: int = 10_000) -> Rows:
    """Time how long a resumed loop takes to get past the iterations that are done."""
    samples = []
    for _ in range(repeats):
        iterator = PhaseLoader(None, skipped=iterations)
        start = time.perf_counter()
        for _ in range(iterations):
            next(iterator)
        samples.append(time.perf_counter() - start)
    return {'resume_10k_s': samples}


def run_time(repeats: int, iterations: int = 15, workers: tuple[int, ...] = WORKERS) -> Rows:
    """Run a warm-up and two phases with each number of data workers; runs are long, so each is done once."""
    runs = {number: _run(number, iterations) for number in workers}
    waits = {f'loader_wait_share_{number}_workers': shares for number, (_, shares) in runs.items()}
    return {'phase_start_s': [change for changes, _ in runs.values() for change in changes], **waits}


def _run(workers: int, iterations: int) -> tuple[list[float], list[float]]:
    """Return the seconds of each phase change beyond labeling, and each phase's share of time spent waiting."""
    phase = {'iters': iterations, 'labeled': 2, 'pseudo': 6, 'label_ratio': 0.5}
    with tempfile.TemporaryDirectory() as folder:
        config = networks.demo(folder, [{'iters': 2, 'labeled': 8}, phase, phase], workers, val_interval=10**6)
        config.default_hooks.checkpoint.update(save_last=False)
        config.default_hooks.logger.update(interval=10**6)
        changing, labeling = Stopwatch(dmt_hook.DMTHook.after_train_iter), Stopwatch(phase_labels.label)
        with (
            mock.patch.object(dmt_hook.DMTHook, 'after_train_iter', lambda *args, **kwargs: changing(*args, **kwargs)),
            mock.patch.object(phase_labels, 'label', labeling),
        ):
            runner = Runner.from_cfg(config)
            runner.train()
        changes = [changing.seconds[end - 1] for end in (2, 2 + iterations)]
        seconds = [change - label for change, label in zip(changes, labeling.seconds, strict=True)]
        data, whole = (runner.message_hub.get_scalar(f'train/{key}').data[0] for key in ('data_time', 'time'))
    # The first batch of a phase waits for its workers to start.
    spans = [slice(2 + phase * iterations + 1, 2 + (phase + 1) * iterations) for phase in (0, 1)]
    return seconds, [float(data[span].sum() / whole[span].sum()) for span in spans]


class Stopwatch:
    """A function that notes how long each of its calls takes."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.seconds: list[float] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        start = time.perf_counter()
        try:
            return self.function(*args, **kwargs)
        finally:
            self.seconds.append(time.perf_counter() - start)

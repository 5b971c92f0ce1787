"""Read a run from its work_dir."""

import math
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mmdmt.reports.config_text import as_dict, as_list, read_config
from mmdmt.reports.log import Log, read_logs
from mmdmt.reports.scalars import TIMERS, Scalars, read_scalars, series

ENSEMBLE = 'ensemble'
PLAIN = 'model'  # how a model without peers is called, whose metrics have no name in front


@dataclass(frozen=True)
class PhaseSpan:
    """The place of a phase in a run.

    Args:
        index: Its number.
        start: Iterations done before it.
        stop: Iterations done after it.
        settings: As the config has them.
        kind: What it is, in words.
    """

    index: int
    start: int
    stop: int
    settings: dict[str, Any]
    kind: str = ''


@dataclass(frozen=True)
class Score:
    """The validations of one predictor by one metric.

    Args:
        last: Of the last weights.
        best: The highest; it is selected on the validation set.
        best_step: The iteration of the best.
    """

    last: float
    best: float
    best_step: int


@dataclass(frozen=True)
class Run:
    """A run of MMEngine.

    Args:
        work_dir: Its folder.
        config_name: Name of the config file.
        config_text: The config, as dumped.
        config: Its settings.
        scalars: What was logged as numbers.
        log: What was logged as text.
        checkpoints: Iterations of the checkpoints that are there.
    """

    work_dir: Path
    config_name: str
    config_text: str
    config: dict[str, Any]
    scalars: Scalars
    log: Log
    checkpoints: tuple[int, ...]

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.work_dir.resolve().name

    @property
    def seed(self) -> int | str | None:
        """The seed of the config, or the one that MMEngine has drawn."""
        seed = as_dict(self.config.get('randomness')).get('seed')
        return self.log.environment.get('seed') if seed is None else seed

    @cached_property
    def peers(self) -> tuple[str, ...]:
        """Names of the peers in the order in which they were logged; of a model without peers, of what was validated.

        A dumped config has them in the order of the alphabet, logs and pictures in that of the config file.
        """
        peers = as_dict(self.config.get('model')).get('peers')
        if isinstance(peers, dict) and peers:
            entries = (*self.scalars.training[:1], *self.scalars.validations[:1])
            logged = list(dict.fromkeys(re.split(r'[./]', key)[0] for entry in entries for key in entry))
            return tuple(sorted(peers, key=lambda name: logged.index(name) if name in logged else len(logged)))
        return tuple(name for name in self._validated if name != ENSEMBLE)

    @cached_property
    def predictors(self) -> tuple[str, ...]:
        """The peers, and what else was validated, the ensemble above all."""
        return (*self.peers, *(name for name in self._validated if name not in self.peers))

    @cached_property
    def metric(self) -> str:
        """The metric that the run is judged by: ``mIoU`` if it is there."""
        names = [metric for metrics in self._validated.values() for metric in metrics]
        return min(names, key=lambda name: (name.rpartition('/')[2] != 'mIoU', names.index(name)), default='mIoU')

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, as far as the scalars name them."""
        validated = [key.partition('/IoU/')[2] for entry in self.scalars.validations for key in entry if '/IoU/' in key]
        labeled = [key.split('/', 3)[3] for entry in self.scalars.labelings for key in entry if key.count('/') > 2]
        return tuple(dict.fromkeys(validated + labeled))

    @cached_property
    def phases(self) -> tuple[PhaseSpan, ...]:
        """The phases: those of the config, or else those that were entered."""
        hooks = [hook for hook in as_list(self.config.get('custom_hooks')) if isinstance(hook, dict)]
        settings = [phase for hook in hooks for phase in as_list(hook.get('phases')) if isinstance(phase, dict)]
        spans: list[PhaseSpan] = []
        for index, phase in enumerate(settings):
            start, iters = spans[-1].stop if spans else 0, phase.get('iters')
            kind = self.log.phases.get(index, (0, 0, ''))[2]
            stop = start + (iters if isinstance(iters, int) else 0)
            spans.append(PhaseSpan(index, start, stop, phase, kind))
        if spans:
            return tuple(spans)
        logged = sorted(self.log.phases.items())
        return tuple(PhaseSpan(index, start, stop, {}, kind) for index, (start, stop, kind) in logged)

    @property
    def planned(self) -> int | None:
        """Iterations that the run is to have."""
        iters = as_dict(self.config.get('train_cfg')).get('max_iters')
        return iters if isinstance(iters, int) else (self.phases[-1].stop if self.phases else None)

    @property
    def reached(self) -> int:
        """The last iteration of which there is a trace."""
        return max(self.scalars.last_step, self.log.reached)

    @property
    def ended(self) -> bool | None:
        """Whether all iterations were done; None where it cannot be told."""
        return None if self.planned is None else self.reached >= self.planned

    def curve(self, predictor: str, metric: str) -> tuple[list[int], list[float]]:
        """Return the steps and values of a metric of a peer or the ensemble."""
        key = metric if predictor == PLAIN else f'{predictor}/{metric}'
        return series(self.scalars.validations, key)

    def score(self, predictor: str, metric: str) -> Score | None:
        """Sum up the validations of a peer or the ensemble; None without any."""
        steps, values = self.curve(predictor, metric)
        if not values:
            return None
        best = max(range(len(values)), key=lambda i: -math.inf if math.isnan(values[i]) else values[i])
        return Score(values[-1], values[best], steps[best])

    def class_iou(self, predictor: str, step: int | None = None) -> dict[str, float]:
        """Return the IoU of every class at a validation, in percent; at the last one by default."""
        entries = [entry for entry in self.scalars.validations if step in (None, entry['step'])]
        if not entries:
            return {}
        found = {key.partition('/IoU/'): value for key, value in entries[-1].items() if '/IoU/' in key}
        return {name: float(value) for (prefix, _, name), value in found.items() if prefix.split('/')[0] == predictor}

    @cached_property
    def _validated(self) -> dict[str, list[str]]:
        """Metrics of the validations by predictor."""
        found: dict[str, list[str]] = {}
        keys = dict.fromkeys(key for entry in self.scalars.validations for key in entry if key not in TIMERS)
        for key in keys:
            predictor, slash, metric = key.partition('/')
            if '/IoU/' not in key:
                found.setdefault(predictor if slash else PLAIN, []).append(metric if slash else key)
        return found


def read_run(work_dir: Path) -> Run:
    """Read the folder of a run, finished or not.

    Args:
        work_dir (Path): The ``--work-dir`` of the run, with a folder of logs for each time it was started.

    Raises:
        FileNotFoundError: If it is not a folder, or holds no logs.
    """
    if not work_dir.is_dir():
        raise FileNotFoundError(f'{work_dir} is not a folder: give the --work-dir of a run.')
    trained = sorted(work_dir.glob('*/vis_data/scalars.json'))  # the folders are named after the time
    if not trained:
        raise FileNotFoundError(
            f'{work_dir} holds no */vis_data/scalars.json, which a run writes with its first logged iteration: give '
            "the --work-dir of a run whose visualizer has vis_backends=[dict(type='LocalVisBackend')]."
        )
    logs = [log for file in trained for log in sorted(file.parents[1].glob('*.log')) if log.is_file()]
    dumped = sorted(work_dir.glob('*.py'), key=lambda path: path.stat().st_mtime)
    last = trained[-1].with_name('config.py')
    text = next((path.read_text(errors='replace') for path in (last, *reversed(dumped)) if path.is_file()), '')
    return Run(
        work_dir=work_dir,
        config_name=dumped[-1].stem if dumped else work_dir.resolve().name,
        config_text=text,
        config=read_config(text),
        scalars=read_scalars(trained),
        log=read_logs(logs),
        checkpoints=_checkpoints(work_dir),
    )


def _checkpoints(work_dir: Path) -> tuple[int, ...]:
    stems = (path.stem.removeprefix('iter_') for path in work_dir.glob('iter_*.pth'))
    return tuple(sorted(int(stem) for stem in stems if stem.isdecimal()))

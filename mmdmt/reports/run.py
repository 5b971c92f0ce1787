"""Read a run from its work_dir: the events that it has written down, and the scalars of training."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

ENSEMBLE = 'ensemble'
Entry = dict[str, Any]


@dataclass(frozen=True)
class PhaseSpan:
    """The place of a phase in a run: its number, iterations done before and after it, its settings."""

    index: int
    start: int
    stop: int
    settings: dict[str, Any]


class Score(NamedTuple):
    """The validations of one predictor by one metric: of the last weights, and the highest with its iteration."""

    last: float
    best: float
    best_step: int


@dataclass
class Run:
    """A run with DMTHook, as its folder tells of it."""

    work_dir: Path
    facts: Entry = field(default_factory=dict)  # what the event of its last start says, the next six among it
    config_name: str = ''
    config: Entry = field(default_factory=dict)
    peers: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    phases: tuple[PhaseSpan, ...] = ()
    planned: int | None = None  # iterations
    training: list[Entry] = field(default_factory=list)  # each with its 'step': 'loss', 'coco.mean_weight', ...
    validations: list[Entry] = field(default_factory=list)  # 'coco/mIoU', 'ensemble/mIoU', 'coco/IoU/<class>', ...
    labelings: list[Entry] = field(default_factory=list)  # 'pseudo/coco/coverage', ...
    starts: list[tuple[datetime, datetime]] = field(default_factory=list)  # begin and last sign of each
    phase_seconds: dict[int, float] = field(default_factory=dict)  # with labeling; iterations done twice count twice
    cpu_seconds: float | None = None  # of all starts that have ended, data workers included
    messages: Counter[tuple[str, str]] = field(default_factory=Counter)  # warnings and errors, by level and text
    unreadable: int = 0  # lines that are not JSON, such as the one that a run was killed in
    reached: int = 0  # the last iteration of which there is a trace
    config_text: str = ''  # as dumped

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.work_dir.resolve().name

    @property
    def seed(self) -> Any:
        """The seed; None if it is not known."""
        return self.facts.get('seed')

    @property
    def lists(self) -> dict[str, str]:
        """Labeled, unlabeled and validation images, in words."""
        return as_dict(self.facts.get('lists'))

    @property
    def ended(self) -> bool | None:
        """Whether all iterations were done; None where it cannot be told."""
        return None if self.planned is None else self.reached >= self.planned

    @cached_property
    def predictors(self) -> tuple[str, ...]:
        """The peers, and what else was validated, the ensemble above all."""
        return tuple(dict.fromkeys((*self.peers, *(predictor for predictor, _ in self._validated))))

    @cached_property
    def metric(self) -> str:
        """The metric that the run is judged by: ``mIoU`` if it is there."""
        names = [metric for _, metric in self._validated]
        return min(names, key=lambda name: (name.rpartition('/')[2] != 'mIoU', names.index(name)), default='mIoU')

    def curve(self, predictor: str, metric: str) -> tuple[list[int], list[float]]:
        """Return the steps and values of a metric of a peer or the ensemble."""
        return series(self.validations, f'{predictor}/{metric}')

    def score(self, predictor: str, metric: str) -> Score | None:
        """Sum up the validations of a peer or the ensemble; None without any."""
        steps, values = self.curve(predictor, metric)
        if not values:
            return None
        best = max(range(len(values)), key=lambda i: -math.inf if math.isnan(values[i]) else values[i])
        return Score(values[-1], values[best], steps[best])

    @property
    def reliability(self) -> dict[str, Any]:
        """What the last validation tells of confidence, by predictor: see ``mmdmt.evaluation.confidence``."""
        return as_dict(self.validations[-1].get('reliability')) if self.validations else {}

    def class_iou(self, predictor: str, step: int | None = None) -> dict[str, float]:
        """Return the IoU of every class at a validation, in percent; at the last one by default."""
        entries = [entry for entry in self.validations if step in (None, entry['step'])]
        prefix = f'{predictor}/IoU/'
        found = entries[-1] if entries else {}
        return {key.removeprefix(prefix): value for key, value in found.items() if key.startswith(prefix)}

    @property
    def _validated(self) -> list[tuple[str, str]]:
        """Predictors and their metrics."""
        keys = dict.fromkeys(key for entry in self.validations for key in entry if '/IoU/' not in key)
        return [(predictor, metric) for predictor, slash, metric in (key.partition('/') for key in keys) if slash]


def read_run(work_dir: Path) -> Run:
    """Read the folder of a run, finished or not; of a resumed one, what was written after its checkpoint is replaced.

    Raises:
        FileNotFoundError: If there is no such folder, or it holds no events.
    """
    if not work_dir.is_dir():
        raise FileNotFoundError(f'There is no folder {work_dir}: give the --work-dir of a run.')
    files = sorted(work_dir.glob('*/events.jsonl'))  # the folders are named after the time
    if not files:
        raise FileNotFoundError(
            f'{work_dir} holds no */events.jsonl, which a run with DMTHook writes when it starts: give the --work-dir '
            'of such a run.'
        )
    run = Run(work_dir)
    run.config_name = run.name
    for file in files:
        _read_start(run, file)
    for entries in (run.training, run.validations, run.labelings):
        entries[:] = _by_step(entries)
    run.reached = max((run.reached, *(entry['step'] for entry in (*run.training, *run.validations))))
    return run


def series(entries: Sequence[Entry], key: str) -> tuple[list[int], list[float]]:
    """Return the steps and values of a scalar; NaN stays."""
    found = [(entry['step'], float(entry[key])) for entry in entries if key in entry]
    return [step for step, _ in found], [value for _, value in found]


def as_dict(value: Any) -> dict[str, Any]:
    """Return a part of the settings that should be a dict; an empty one where it is something else."""
    return value if isinstance(value, dict) else {}


def _read_start(run: Run, file: Path) -> None:
    """Add what one start has written."""
    times: list[datetime] = []
    phases: list[tuple[int, datetime]] = []
    for event in _lines(run, file):
        try:
            kind, now = event['event'], datetime.fromisoformat(event['time'])
            if kind == 'start':
                _begin(run, event)
            elif kind == 'phase':
                phases.append((event['phase'], now))
            elif kind == 'labels':
                run.labelings.append({**_numbers(event['values']), 'step': event['iteration'], 'phase': event['phase']})
            elif kind == 'validation':
                extra = {'reliability': found} if (found := event.get('reliability')) else {}
                run.validations.append({**_numbers(event['values']), **extra, 'step': event['iteration']})
            elif kind == 'warning':
                run.messages[event['level'], event['text']] += 1
            elif kind == 'end':
                run.cpu_seconds = (run.cpu_seconds or 0.0) + event['cpu_seconds']
                run.reached = event['iteration']
            times.append(now)
        except (ValueError, TypeError, KeyError, AttributeError):
            run.unreadable += 1
    scalars = file.parent / 'vis_data' / 'scalars.json'
    if scalars.is_file():
        entries = (entry for entry in _lines(run, scalars) if type(entry.get('step')) is int and 'loss' in entry)
        run.training += map(_numbers, entries)
        if times and not run.ended:
            times.append(max(times[-1], datetime.fromtimestamp(scalars.stat().st_mtime)))
    config = file.parent / 'vis_data' / 'config.py'
    run.config_text = config.read_text(errors='replace') if config.is_file() else run.config_text
    if times:
        run.starts.append((times[0], times[-1]))
        ends = [*(begin for _, begin in phases[1:]), times[-1]]
        for (index, begin), end in zip(phases, ends, strict=False):
            run.phase_seconds[index] = run.phase_seconds.get(index, 0.0) + (end - begin).total_seconds()


def _begin(run: Run, event: Entry) -> None:
    """Take over what a start says, and forget what was written after the checkpoint that it goes on from."""
    run.facts, run.planned, run.config = event, event.get('iterations'), as_dict(event.get('config'))
    run.config_name = str(event.get('config_name') or run.name)
    run.peers, run.classes = (tuple(map(str, event.get(key) or ())) for key in ('peers', 'classes'))
    phases = enumerate(event.get('phases') or ())
    run.phases = tuple(PhaseSpan(number, one['start'], one['stop'], one['settings']) for number, one in phases)
    for entries in (run.training, run.validations, run.labelings):
        entries[:] = [entry for entry in entries if entry['step'] <= event['iteration'] > 0]


def _lines(run: Run, file: Path) -> Iterable[Entry]:
    """Yield the objects of a file of JSON lines."""
    for line in file.read_text(errors='replace').splitlines():
        try:
            entry = json.loads(line) if line.strip() else None
        except (ValueError, RecursionError):
            entry = ()
        if isinstance(entry, dict):
            yield entry
        elif entry is not None:
            run.unreadable += 1


def _numbers(values: Mapping[str, Any]) -> Entry:
    """Take what is a number, NaN too; a null is not there."""
    return {key: value for key, value in values.items() if type(value) in (int, float)}


def _by_step(entries: Iterable[Entry]) -> list[Entry]:
    """Bring entries into the order of their steps; of one step the later ones win, value by value."""
    steps: dict[int, Entry] = {}
    for entry in entries:
        steps[entry['step']] = {**steps.get(entry['step'], {}), **entry}
    return [steps[step] for step in sorted(steps)]

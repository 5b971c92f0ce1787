"""Read a run from its work_dir: the events that it has written down, and the scalars of training."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

ENSEMBLE = 'ensemble'
Entry = dict[str, Any]


@dataclass(frozen=True)
class PhaseSpan:
    """The place of a phase in a run.

    Args:
        index: Its number.
        start: Iterations done before it.
        stop: Iterations done after it.
        settings: As the run has them.
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


@dataclass
class Run:
    """A run with DMTHook.

    Args:
        work_dir: Its folder.
        facts: What the event of its last start says.
        training: Entries of iterations, each with its ``step``: ``loss``, ``coco.mean_weight``, ...
        validations: ``coco/mIoU``, ``ensemble/mIoU``, ``coco/IoU/<class>``, ... of each.
        labelings: ``pseudo/coco/coverage``, ... of each.
        starts: When each start began and when it last wrote.
        phase_seconds: Wall time of each phase, its labeling included, iterations done twice counted twice.
        cpu_seconds: CPU time of all starts that have ended, data workers included; None if none has.
        messages: How often each warning and error was logged, by level and text.
        unreadable: Lines that are no JSON, such as the one that a run was killed in.
        reached: The last iteration of which there is a trace.
        config_text: The config, as dumped.
        checkpoints: Iterations of the checkpoints that are there.
    """

    work_dir: Path
    facts: Entry = field(default_factory=dict)
    training: list[Entry] = field(default_factory=list)
    validations: list[Entry] = field(default_factory=list)
    labelings: list[Entry] = field(default_factory=list)
    starts: list[tuple[datetime, datetime]] = field(default_factory=list)
    phase_seconds: Counter[int] = field(default_factory=Counter)
    cpu_seconds: float | None = None
    messages: Counter[tuple[str, str]] = field(default_factory=Counter)
    unreadable: int = 0
    reached: int = 0
    config_text: str = ''
    checkpoints: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.work_dir.resolve().name

    @property
    def config_name(self) -> str:
        """The name of the config file."""
        return str(self.facts.get('config_name') or self.name)

    @property
    def config(self) -> Entry:
        """The settings."""
        return as_dict(self.facts.get('config'))

    @property
    def seed(self) -> Any:
        """The seed; None if it is not known."""
        return self.facts.get('seed')

    @property
    def peers(self) -> tuple[str, ...]:
        """Names of the peers."""
        return tuple(map(str, as_list(self.facts.get('peers'))))

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return tuple(map(str, as_list(self.facts.get('classes'))))

    @property
    def lists(self) -> dict[str, str]:
        """Which labeled, unlabeled and validation images are used, in words."""
        return as_dict(self.facts.get('lists'))

    @property
    def phases(self) -> tuple[PhaseSpan, ...]:
        """The phases."""
        given = [phase for phase in as_list(self.facts.get('phases')) if isinstance(phase, dict)]
        return tuple(
            PhaseSpan(number, phase['start'], phase['stop'], as_dict(phase.get('settings')), phase.get('kind', ''))
            for number, phase in enumerate(given)
        )

    @property
    def planned(self) -> int | None:
        """Iterations that the run is to have; None if that is not known."""
        return self.facts.get('iterations')

    @property
    def ended(self) -> bool | None:
        """Whether all iterations were done; None where it cannot be told."""
        return None if self.planned is None else self.reached >= self.planned

    @property
    def seconds(self) -> float:
        """Wall time of all starts together."""
        return sum((end - begin).total_seconds() for begin, end in self.starts)

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
    """Read the folder of a run, finished or not.

    A resumed run goes on from a checkpoint: what had been written after it is replaced.

    Args:
        work_dir (Path): The ``--work-dir`` of the run, with a folder for each time it was started.

    Raises:
        FileNotFoundError: If it is not a folder, or holds no events.
    """
    if not work_dir.is_dir():
        raise FileNotFoundError(f'{work_dir} is not a folder: give the --work-dir of a run.')
    files = sorted(work_dir.glob('*/events.jsonl'))  # the folders are named after the time
    if not files:
        raise FileNotFoundError(
            f'{work_dir} holds no */events.jsonl, which a run with DMTHook writes when it starts: give the --work-dir '
            'of such a run.'
        )
    stems = (path.stem.removeprefix('iter_') for path in work_dir.glob('iter_*.pth'))
    run = Run(work_dir, checkpoints=tuple(sorted(int(stem) for stem in stems if stem.isdecimal())))
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


def as_list(value: Any) -> list[Any]:
    """Return a part of the settings that should be a list; an empty one where it is something else."""
    return value if isinstance(value, list) else []


def _read_start(run: Run, file: Path) -> None:
    """Add what one start has written."""
    times: list[datetime] = []
    phase: tuple[int, datetime] | None = None

    def end_phase(now: datetime) -> None:
        if phase is not None:
            run.phase_seconds[phase[0]] += (now - phase[1]).total_seconds()  # type: ignore[assignment]

    for event in _lines(run, file):
        try:
            kind, now = event['event'], datetime.fromisoformat(event['time'])
            if kind == 'start':
                run.facts = event
                for entries in (run.training, run.validations, run.labelings):
                    entries[:] = [entry for entry in entries if entry['step'] <= event['iteration'] > 0]
            elif kind == 'phase':
                end_phase(now)
                phase = event['phase'], now
            elif kind == 'labels':
                run.labelings.append({**_numbers(event['values']), 'step': event['iteration'], 'phase': event['phase']})
            elif kind == 'validation':
                run.validations.append({**_numbers(event['values']), 'step': event['iteration']})
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
        for entry in _lines(run, scalars):
            if type(entry.get('step')) is int and 'loss' in entry:
                run.training.append(_numbers(entry))
        if times and not (run.planned and run.reached >= run.planned):
            times.append(max(times[-1], datetime.fromtimestamp(scalars.stat().st_mtime)))
    config = file.parent / 'vis_data' / 'config.py'
    run.config_text = config.read_text(errors='replace') if config.is_file() else run.config_text
    if times:
        end_phase(times[-1])
        run.starts.append((times[0], times[-1]))


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

"""Read the scalars of a run from the files of all its starts."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

Entry = dict[str, Any]
TIMERS = {'step', 'time', 'data_time', 'memory'}


@dataclass(frozen=True)
class Scalars:
    """Scalars of a run by kind, each in the order of its steps.

    Args:
        training: Entries of iterations: ``loss``, ``coco.mean_weight``, ...
        validations: Entries of validations: ``coco/mIoU``, ``ensemble/mIoU``, ``coco/IoU/<class>``, ...
        labelings: Entries of labelings: ``pseudo/coco/coverage``, ...
        unreadable: Lines that are no JSON, such as the one that a run was killed in.
    """

    training: tuple[Entry, ...] = ()
    validations: tuple[Entry, ...] = ()
    labelings: tuple[Entry, ...] = ()
    unreadable: int = 0

    @property
    def last_step(self) -> int:
        """The highest iteration of all entries; 0 without any."""
        return max((entry['step'] for kind in (self.training, self.validations) for entry in kind), default=0)


def read_scalars(files: Iterable[Path]) -> Scalars:
    """Read and join the scalars of a run that may have been resumed.

    A resumed run goes on from a checkpoint: what had been logged after it is replaced. A run that begins again from the
    start replaces everything.

    Args:
        files (Iterable[Path]): ``scalars.json`` of each start, in their order.
    """
    joined = Scalars()
    for file in files:
        joined = _join(joined, _read(file))
    return joined


def series(entries: Sequence[Entry], key: str) -> tuple[list[int], list[float]]:
    """Return the steps and values of a scalar; NaN stays."""
    found = [(entry['step'], float(entry[key])) for entry in entries if isinstance(entry.get(key), int | float)]
    return [step for step, _ in found], [value for _, value in found]


def thin(steps: Sequence[int], values: Sequence[float], most: int = 600) -> tuple[list[int], list[float]]:
    """Bring a long curve to at most so many points, each the mean of as many neighbors, at the last one's step."""
    length = math.ceil(len(steps) / most)
    if length < 2:
        return list(steps), list(values)
    parts = [range(start, min(start + length, len(steps))) for start in range(0, len(steps), length)]
    return [steps[part[-1]] for part in parts], [fmean(values[i] for i in part) for part in parts]


def _read(file: Path) -> Scalars:
    training: list[Entry] = []
    validations: list[Entry] = []
    labelings: list[Entry] = []
    unreadable, classes = 0, {}
    for line in file.read_text(errors='replace').splitlines():
        try:
            given = json.loads(line) if line.strip() else {'step': 0}
            step = int(given['step'])
            # What is not a number, such as a null, is not there.
            entry = {key: value for key, value in given.items() if type(value) in (int, float)}
        except (ValueError, TypeError, KeyError, OverflowError, AttributeError, RecursionError):
            unreadable += 1
            continue
        names = [key for key in entry if key not in TIMERS]
        if any(name.startswith('pseudo/') for name in names):
            labelings.append({**entry, 'step': step})
        elif 'iter' in entry or 'loss' in entry:
            training.append({**entry, 'step': step})
        elif names and all('/IoU/' in name for name in names):
            classes.update({name: entry[name] for name in names})
        elif names:
            # The classes are written just before the metrics of the same validation.
            validations.append({**entry, **classes, 'step': step})
            classes = {}
    return Scalars(tuple(training), tuple(validations), _by_step(labelings), unreadable)


def _join(before: Scalars, after: Scalars) -> Scalars:
    unreadable = before.unreadable + after.unreadable
    if not after.training and not after.validations:
        labelings = _by_step([*before.labelings, *after.labelings])
        return Scalars(before.training, before.validations, labelings, unreadable)
    start = min(entry['step'] for entry in (*after.training[:1], *after.validations[:1]))
    if before.training and after.training and after.training[0]['step'] <= before.training[0]['step']:
        before = Scalars()  # the run was started anew
    # Labels are not made again where they are found, so that those of the phase in hand stay.
    return Scalars(
        _by_step([*(entry for entry in before.training if entry['step'] < start), *after.training]),
        _by_step([*(entry for entry in before.validations if entry['step'] <= start), *after.validations]),
        _by_step([*(entry for entry in before.labelings if entry['step'] <= start), *after.labelings]),
        unreadable,
    )


def _by_step(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Bring entries into the order of their steps; of one step the later ones win, value by value."""
    steps: dict[int, Entry] = {}
    for entry in entries:
        steps[entry['step']] = {**steps.get(entry['step'], {}), **entry}
    return tuple(steps[step] for step in sorted(steps))

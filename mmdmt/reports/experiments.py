"""Group runs that differ in nothing but the seed, and average their results."""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

from mmdmt.reports.run import ENSEMBLE, PhaseSpan, Run

# The parts of a config that make an experiment. Others are variables of the config files, or say where and how a run
# is started, shown and logged.
PARTS = (
    'model',
    'train_dataloader',
    'val_dataloader',
    'train_cfg',
    'val_cfg',
    'val_evaluator',
    'optim_wrapper',
    'param_scheduler',
    'auto_scale_lr',
    'custom_hooks',
    'load_from',
    'randomness',
)
SEED = 'randomness.seed'
PHASES = re.compile(r'custom_hooks\.\d+\.(phases|warm_up|iters|labeled|pseudo|ratios|online|lr_factor|warm_up_lists)\b')


@dataclass(frozen=True)
class Spread:
    """Mean and deviation of some numbers.

    Args:
        values: The numbers, NaN among them where a run has given NaN.
    """

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean."""
        return mean(self.values)

    @property
    def deviation(self) -> float | None:
        """The sample standard deviation; None of a single number."""
        if len(self.values) < 2:
            return None
        return stdev(self.values) if all(map(math.isfinite, self.values)) else math.nan


@dataclass(frozen=True)
class Experiment:
    """Runs whose settings differ in the seed alone.

    Args:
        name: Of the config.
        runs: At least one.
    """

    name: str
    runs: tuple[Run, ...]

    @property
    def counted(self) -> tuple[Run, ...]:
        """The runs that means are of: not those that have ended too early."""
        return tuple(run for run in self.runs if run.ended is not False)

    @property
    def predictors(self) -> tuple[str, ...]:
        """Peers and ensemble of all runs."""
        return tuple(dict.fromkeys(predictor for run in self.runs for predictor in run.predictors))

    @property
    def judge(self) -> str | None:
        """Who stands for the experiment beside others: the ensemble, or else the first peer."""
        return ENSEMBLE if ENSEMBLE in self.predictors else next(iter(self.predictors), None)

    def last(self, predictor: str, metric: str) -> Spread | None:
        """Return the metric of the last weights over the runs that count."""
        return _spread(score.last for run in self.counted if (score := run.score(predictor, metric)))

    def best(self, predictor: str, metric: str) -> Spread | None:
        """Return the best of the metric over the runs that count."""
        return _spread(score.best for run in self.counted if (score := run.score(predictor, metric)))

    def class_iou(self, predictor: str, name: str) -> Spread | None:
        """Return the IoU of a class at the last validation over the runs that count."""
        return _spread(iou[name] for run in self.counted if name in (iou := run.class_iou(predictor)))

    def curve(self, predictor: str, metric: str) -> tuple[list[int], list[Spread]]:
        """Return a metric over the iterations that all runs were validated at; unfinished runs take part if all are."""
        curves = [dict(zip(*run.curve(predictor, metric), strict=True)) for run in self.counted or self.runs]
        common = sorted(set.intersection(*map(set, curves))) if curves else []
        return common, [Spread(tuple(curve[step] for curve in curves)) for step in common]


def group(runs: Sequence[Run]) -> list[Experiment]:
    """Put runs together whose settings differ in the seed alone."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        settings = _settings(run)
        identity = json.dumps(settings, sort_keys=True) if settings else str(run.work_dir)
        groups.setdefault(identity, []).append(run)
    names = [members[0].config_name for members in groups.values()]
    return [
        Experiment(name if names.count(name) == 1 else f'{name} ({names[: i + 1].count(name)})', tuple(members))
        for i, (name, members) in enumerate(zip(names, groups.values(), strict=True))
    ]


def differences(experiments: Sequence[Experiment]) -> dict[str, list[Any]]:
    """Return the settings that are not the same in all experiments.

    Returns:
        dict[str, list]: For each dotted name the value of each experiment, None where it has none. Where a whole part
        of a config is in some experiments only, its outermost name stands for it, with ``'...'`` as its value.
    """
    flat = [_settings(experiment.runs[0]) for experiment in experiments]
    found: dict[str, list[Any]] = {}
    phases = [phases_in_words(experiment.runs[0].phases) or None for experiment in experiments]
    if len(set(phases)) > 1:
        found['phases'] = list(phases)
    peers = list(dict.fromkeys(peer for experiment in experiments for peer in experiment.runs[0].peers))
    for name in sorted(set().union(*flat), key=lambda name: _place(name, peers)):
        if PHASES.match(name):
            continue  # said in words
        if len({json.dumps(settings.get(name)) for settings in flat}) == 1:
            continue
        lacking = [settings for settings in flat if name not in settings]
        part = next((part for part in _parts(name) if any(_lacks(settings, part) for settings in lacking)), name)
        if part == name:
            found[name] = [settings.get(name) for settings in flat]
        else:
            found[part] = [None if _lacks(settings, part) else '...' for settings in flat]
    return found


def phases_in_words(phases: Sequence[PhaseSpan]) -> str:
    """Tell the phases of a run: neighbors that differ in the label ratio alone together.

    Example:
        >>> warm_up = PhaseSpan(0, 0, 100, {'iters': 100, 'labeled': 8})
        >>> ratios = [PhaseSpan(n, 0, 0, {'iters': 50, 'labeled': 2, 'label_ratio': n / 5}) for n in (1, 2)]
        >>> phases_in_words([warm_up, *ratios])
        '100 iterations (labeled 8); 2 x 50 iterations (labeled 2), label ratios 0.2, 0.4'
    """
    told: list[tuple[dict[str, Any], list[Any]]] = []
    for phase in phases:
        rest = {key: value for key, value in phase.settings.items() if key != 'label_ratio'}
        ratio = phase.settings.get('label_ratio')
        if told and told[-1][0] == rest and (ratio is None) == (not told[-1][1]):
            told[-1][1].append(ratio)
        else:
            told.append((rest, [] if ratio is None else [ratio]))
    return '; '.join(_phases_alike(rest, ratios) for rest, ratios in told if rest)


def _phases_alike(rest: dict[str, Any], ratios: Sequence[Any]) -> str:
    times = f'{len(ratios)} x ' if len(ratios) > 1 else ''
    others = ', '.join(f'{key} {value}' for key, value in rest.items() if key != 'iters')
    text = f'{times}{rest.get("iters", "no")} iterations' + (f' ({others})' if others else '')
    return f'{text}, label ratio{"s" if len(ratios) > 1 else ""} {", ".join(map(str, ratios))}' if ratios else text


def flatten(settings: Any, name: str = '') -> dict[str, Any]:
    """Lay nested settings out flat.

    Args:
        settings (Any): Dicts and lists within each other.
        name (str): What stands in front of every name. Defaults to ``''``.

    Returns:
        dict[str, Any]: Values by dotted name, such as ``model.peers.coco.type`` and ``custom_hooks.0.carry``. A list of
        plain values is one value.
    """
    if isinstance(settings, Mapping):
        parts = [(str(key), value) for key, value in settings.items()]
    elif isinstance(settings, list) and any(isinstance(one, Mapping | list) for one in settings):
        parts = [(str(number), value) for number, value in enumerate(settings)]
    else:
        return {name: settings}
    flat = {}
    for key, value in parts:
        flat.update(flatten(value, f'{name}.{key}' if name else key))
    return flat


def _settings(run: Run) -> dict[str, Any]:
    parts = {name: run.config[name] for name in PARTS if name in run.config}
    return {name: value for name, value in flatten(parts).items() if name != SEED}


def _parts(name: str) -> Iterable[str]:
    pieces = name.split('.')
    return ('.'.join(pieces[:length]) for length in range(1, len(pieces)))


def _place(name: str, peers: Sequence[str]) -> list[str]:
    """Return what a setting is sorted by: its name, but peers in their own order."""
    pieces = name.split('.')
    if pieces[:2] == ['model', 'peers'] and len(pieces) > 2 and pieces[2] in peers:
        pieces[2] = f'{peers.index(pieces[2]):06d}'
    return pieces


def _lacks(settings: dict[str, Any], part: str) -> bool:
    return not any(name == part or name.startswith(f'{part}.') for name in settings)


def _spread(values: Iterable[float]) -> Spread | None:
    numbers = tuple(values)
    return Spread(numbers) if numbers else None

"""Group runs that differ in nothing but the seed, and average their results."""

import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import mean, stdev
from typing import Any

from mmdmt.reports.run import ENSEMBLE, PhaseSpan, Run

# The parts of a config that make an experiment. Others are variables of the config files, or say where and how a run
# is started, shown and logged.
PARTS = (
    *('model', 'train_dataloader', 'val_dataloader', 'train_cfg', 'val_cfg', 'val_evaluator', 'optim_wrapper'),
    *('param_scheduler', 'auto_scale_lr', 'custom_hooks', 'load_from', 'randomness'),
)
PHASES = re.compile(r'custom_hooks\.\d+\.(phases|warm_up|iters|labeled|pseudo|ratios|online|lr_factor|warm_up_lists)\b')
MISSING = object()


@dataclass(frozen=True)
class Spread:
    """Some numbers, NaN among them where a run has given NaN."""

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
    """At least one run of a config; their settings differ in the seed alone."""

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
        identity = json.dumps(_settings(run), sort_keys=True) if run.config else str(run.work_dir)
        groups.setdefault(identity, []).append(run)
    names = [members[0].config_name for members in groups.values()]
    return [
        Experiment(name if names.count(name) == 1 else f'{name} ({names[: i + 1].count(name)})', tuple(members))
        for i, (name, members) in enumerate(zip(names, groups.values(), strict=True))
    ]


def differences(experiments: Sequence[Experiment]) -> dict[str, list[Any]]:
    """Return by dotted name the settings that differ, of each experiment: None for none, ``'...'`` for a whole part."""
    runs = [experiment.runs[0] for experiment in experiments]
    phases = [phases_in_words(run.phases) or None for run in runs]
    found = {'phases': phases} if len(set(phases)) > 1 else {}
    return {**found, **dict(_differing([_settings(run) for run in runs]))}


def phases_in_words(phases: Sequence[PhaseSpan]) -> str:
    """Put the phases of a run into words: neighbors that differ in the label ratio alone together.

    Example:
        >>> warm_up = PhaseSpan(0, 0, 100, {'iters': 100, 'labeled': 8})
        >>> ratios = [PhaseSpan(n, 0, 0, {'iters': 50, 'labeled': 2, 'label_ratio': n / 5}) for n in (1, 2)]
        >>> phases_in_words([warm_up, *ratios])
        '100 iterations (labeled 8); 2 x 50 iterations (labeled 2), label ratios 0.2, 0.4'
    """
    texts = []
    for rest, alike in groupby(phases, _but_the_ratio):
        ratios = [phase.settings.get('label_ratio') for phase in alike]
        others = ', '.join(f'{key} {value}' for key, value in rest.items() if key not in ('iters', 'label_ratio'))
        many, s = (f'{len(ratios)} x ', 's') if len(ratios) > 1 else ('', '')
        text = f'{many}{rest.get("iters", "no")} iterations' + (f' ({others})' if others else '')
        texts.append(f'{text}, label ratio{s} {", ".join(map(str, ratios))}' if rest['label_ratio'] else text)
    return '; '.join(texts)


def _but_the_ratio(phase: PhaseSpan) -> dict[str, Any]:
    return {**phase.settings, 'label_ratio': phase.settings.get('label_ratio') is not None}


def _settings(run: Run) -> dict[str, Any]:
    parts = {name: run.config[name] for name in PARTS if name in run.config}
    if isinstance(parts.get('randomness'), dict):
        parts['randomness'] = {name: value for name, value in parts['randomness'].items() if name != 'seed'}
    return parts


def _differing(values: Sequence[Any], name: str = '') -> Iterator[tuple[str, list[Any]]]:
    """Yield what differs within one part of the settings, but for the phases, which are told in words."""
    if all(one == values[0] for one in values) or PHASES.match(name):
        return
    parts = [_parts_of(one) for one in values]
    if not all(parts):
        yield (
            name,
            [None if one is MISSING else '...' if part else one for one, part in zip(values, parts, strict=True)],
        )
        return
    for key in dict.fromkeys(key for part in parts for key in part):
        yield from _differing([part.get(key, MISSING) for part in parts], f'{name}.{key}' if name else key)


def _parts_of(value: Any) -> dict[str, Any]:
    """Return what a dict or a list of settings holds; nothing of a plain value or a list of them."""
    if isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
        return {str(number): one for number, one in enumerate(value)}
    return value if isinstance(value, dict) else {}


def _spread(values: Iterable[float]) -> Spread | None:
    numbers = tuple(values)
    return Spread(numbers) if numbers else None

"""Compare runs: put those together that differ in nothing but the seed, and average their results."""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

from mmdmt.reports.plots import EXPERIMENT_COLORS, Curve, Plot, draw
from mmdmt.reports.run import ENSEMBLE, Run
from mmdmt.reports.wording import unit_of

# The parts of a config that make an experiment. Others are variables of the config files, or say where and how a run
# is started, shown and logged.
PARTS = (
    *('model', 'train_dataloader', 'val_dataloader', 'train_cfg', 'val_cfg', 'val_evaluator', 'optim_wrapper'),
    *('param_scheduler', 'auto_scale_lr', 'custom_hooks', 'load_from', 'randomness'),
)
MISSING = object()
LONGEST = 200  # characters of a setting that are shown


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


def compare(experiments: Sequence[Experiment]) -> dict[str, Any]:
    """Gather what a report says of several experiments."""
    metric = next((run.metric for one in experiments for run in one.runs if run.predictors), 'mIoU')
    colors = [EXPERIMENT_COLORS[number % len(EXPERIMENT_COLORS)] for number in range(len(experiments))]
    predictors = list(dict.fromkeys(name for one in experiments for name in one.predictors))
    predictors.sort(key=lambda name: name == ENSEMBLE)
    return {
        'metric': metric,
        'unit': unit_of(metric),
        'experiments': list(zip(experiments, colors, strict=True)),
        'predictors': predictors,
        'one_seed': any(len(experiment.counted) == 1 for experiment in experiments),
        'plots': _plots(experiments, colors, predictors, metric),
        'classes': _classes(experiments),
        'differences': dict(_differing([_settings(one.runs[0]) for one in experiments])),
    }


def _plots(
    experiments: Sequence[Experiment], colors: Sequence[str], predictors: Sequence[str], metric: str
) -> list[Plot]:
    plots = []
    for number, predictor in enumerate(predictors):
        curves = []
        for experiment, color in zip(experiments, colors, strict=True):
            if predictor not in experiment.predictors:
                continue
            steps, spreads = experiment.curve(predictor, metric)
            deviations = [one.deviation or 0.0 for one in spreads] if len(experiment.runs) > 1 else []
            curves.append(Curve(experiment.name, color, steps, [one.mean for one in spreads], deviations))
        plots.append(draw(f'comparison-{number}', f'{metric} of {predictor}', unit_of(metric), curves))
    return [plot for plot in plots if plot]


def _classes(experiments: Sequence[Experiment]) -> list[tuple[str, list[Any]]]:
    """Return for each class its IoU in each experiment, of the ensemble or else the first peer."""
    names = dict.fromkeys(name for one in experiments for run in one.runs for name in run.classes)
    rows = [(name, [one.class_iou(one.judge, name) if one.judge else None for one in experiments]) for name in names]
    return [(name, cells) for name, cells in rows if any(cells)]


def _settings(run: Run) -> dict[str, Any]:
    parts = {name: run.config[name] for name in PARTS if name in run.config}
    if isinstance(parts.get('randomness'), dict):
        parts['randomness'] = {name: value for name, value in parts['randomness'].items() if name != 'seed'}
    return parts


def _differing(values: Sequence[Any], name: str = '') -> Iterator[tuple[str, list[Any]]]:
    """Yield by dotted name the settings that differ, of each experiment: None for none, ``'...'`` for a long part."""
    if all(one == values[0] for one in values):
        return
    parts = [_parts_of(one) for one in values]
    if not all(parts):
        yield name, [None if one is MISSING else one if len(str(one)) <= LONGEST else '...' for one in values]
        return
    for key in dict.fromkeys(key for part in parts for key in part):
        yield from _differing([part.get(key, MISSING) for part in parts], f'{name}.{key}' if name else key)


def _parts_of(value: Any) -> dict[str, Any]:
    """Return what a dict or a list of dicts holds; nothing of a plain value or a list of them."""
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        return {str(number): one for number, one in enumerate(value)}
    return value if isinstance(value, dict) else {}


def _spread(values: Iterable[float]) -> Spread | None:
    numbers = tuple(values)
    return Spread(numbers) if numbers else None

"""Gather the part of a report that compares several runs."""

from collections.abc import Sequence
from typing import Any

from mmdmt.reports.experiments import Experiment, differences
from mmdmt.reports.plots import EXPERIMENT_COLORS, Curve, Plot, draw
from mmdmt.reports.wording import unit_of


def compare(experiments: Sequence[Experiment]) -> dict[str, Any]:
    """Gather what a report says of several experiments."""
    metric = next((run.metric for one in experiments for run in one.runs if run.predictors), 'mIoU')
    colors = [EXPERIMENT_COLORS[number % len(EXPERIMENT_COLORS)] for number in range(len(experiments))]
    predictors = list(dict.fromkeys(name for one in experiments for name in one.predictors))
    predictors.sort(key=lambda name: name == 'ensemble')
    return {
        'metric': metric,
        'unit': unit_of(metric),
        'experiments': list(zip(experiments, colors, strict=True)),
        'predictors': predictors,
        'one_seed': any(len(experiment.counted) == 1 for experiment in experiments),
        'plots': _plots(experiments, colors, predictors, metric),
        'classes': _classes(experiments),
        'differences': differences(experiments),
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

"""Gather the part of a report that describes one run."""

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple

from mmdmt.reports.pictures import find_pictures
from mmdmt.reports.plots import QUIET, Curve, Plot, draw, thin
from mmdmt.reports.reliability import draw_reliability, reliability_of
from mmdmt.reports.run import Run, as_dict, series
from mmdmt.reports.wording import count, duration, unit_of

# Scalars of every peer: what the plot is called, its unit, the factor to it, the ends of the keys to look for.
TRAINING = (
    ('Loss', '', 1.0, ('decode.loss_dmt', 'head.loss_dmt', 'loss_dmt', 'decode.loss_ce', 'loss')),
    ('Accuracy in training', '%', 1.0, ('decode.acc_seg', 'head.acc', 'acc_seg', 'acc')),
    ('Mean weight of a pixel', '', 1.0, ('mean_weight',)),
    ('Share of the loss from pseudo labels', '%', 100.0, ('pseudo_share',)),
    ('Disagreement with the labeler', '% of pseudo-labeled pixels', 100.0, ('disagreement',)),
    ('Learner wins', '% of pseudo-labeled pixels', 100.0, ('learner_wins',)),
)
# Of pseudo labels: scalars of all classes together and of single ones, how they are called, and the factor to percent.
LABELS = (
    ('coverage', 'coverage', 'Coverage', 'share of the predicted pixels that is kept', 1.0),
    ('threshold', 'threshold', 'Threshold', 'confidence from which a label is kept', 100.0),
    ('precision', 'precision', 'Precision', 'share of the kept labels that is right', 1.0),
    ('mIoU', 'iou', 'IoU', 'of the kept labels with the masks', 1.0),
)
# The settings that one looks for first, by their places in the config; all of it stands below them.
SETTINGS = {
    'Loss': 'model.loss',
    'Optimizer': 'optim_wrapper.optimizer',
    'Data': 'train_dataloader.dataset.labeled',
    'Batch size': 'train_dataloader.batch_size',
    'Iterations between validations': 'train_cfg.val_interval',
}


class Quantity(NamedTuple):
    """One quantity of a labeler's labels in each phase, in percent; NaN where it was not logged."""

    title: str
    meaning: str
    whole: tuple[float, ...]  # of all classes together; empty if it never was logged
    classes: dict[str, tuple[float, ...]]


def view_run(run: Run, identity: str, colors: Mapping[str, str]) -> dict[str, Any]:
    """Gather what a report says of a run."""
    reliability = reliability_of(run, colors)
    labels = [(name, colors[name], found) for name in run.peers if (found := _quality(run, name))]
    return {
        'id': identity,
        'run': run,
        'status': _status(run),
        'facts': _facts(run),
        'metric': run.metric,
        'unit': unit_of(run.metric),
        'scores': [(name, colors.get(name, QUIET), run.score(name, run.metric)) for name in run.predictors],
        'validation': _validation(run, identity, colors),
        'reliability': reliability,
        'reliability_plot': draw_reliability(f'{identity}-reliability', reliability),
        'training': _training(run, identity, colors),
        'labels': labels,
        'label_plots': _label_plots(run, identity, labels),
        'labeled_phases': [entry['phase'] for entry in run.labelings],
        'classes': _classes(run),
        'pictures': find_pictures(run.work_dir),
        'labeling': {one['phase']: one['pseudo/seconds'] for one in run.labelings if 'pseudo/seconds' in one},
        'settings': _settings(run),
        'versions': [*_known(run.facts.get('versions')), *_known(run.facts.get('machine'))],
        'times': _times(run),
        'messages': run.messages,
    }


def _status(run: Run) -> tuple[str, str]:
    """Return how a run ended: a word for the style, and a sentence."""
    if run.ended:
        return 'ended', f'Finished: all {count(run.planned)} iterations.'
    last = f' on {run.starts[-1][1]:%Y-%m-%d, %H:%M}' if run.starts else ''
    if run.ended is None:
        reached = f'Reached iteration {count(run.reached)}{last}'
        return 'unknown', f'{reached}; the config does not tell how many were planned.'
    return 'stopped', f'Not finished: last seen{last}, at iteration {count(run.reached)} of {count(run.planned)}.'


def _facts(run: Run) -> list[tuple[str, str]]:
    model = as_dict(run.config.get('model'))
    seconds = sum((end - begin).total_seconds() for begin, end in run.starts)
    facts = [
        ('Model', str(model.get('type', 'unknown')).removeprefix('mmdmt.')),
        ('Peers', ', '.join(run.peers) or 'none found'),
        ('Phases', str(len(run.phases)) if run.phases else 'none'),
        ('Iterations', count(run.planned if run.planned is not None else run.reached)),
        ('Seed', 'unknown' if run.seed is None else str(run.seed)),
        ('Wall time', duration(seconds) if run.starts else 'unknown'),
    ]
    facts += [(f'{kind.capitalize()} images', text) for kind, text in run.lists.items()]
    if len(run.starts) > 1:
        facts.append(('Started', f'{len(run.starts)} times'))
    return facts


def _validation(run: Run, identity: str, colors: Mapping[str, str]) -> Plot | None:
    curves = [Curve(name, colors.get(name, QUIET), *run.curve(name, run.metric)) for name in run.predictors]
    title = f'{run.metric} on the validation set'
    return draw(f'{identity}-validation', title, unit_of(run.metric), curves, run.phases, 'wide', run.reached)


def _training(run: Run, identity: str, colors: Mapping[str, str]) -> list[Plot]:
    plots = []
    for number, (title, unit, factor, endings) in enumerate(TRAINING):
        curves = []
        for peer in run.peers:
            points = (series(run.training, f'{peer}.{ending}') for ending in endings)
            steps, values = next((found for found in points if found[0]), ([], []))
            curves.append(Curve(peer, colors[peer], *thin(steps, [value * factor for value in values])))
        plots.append(draw(f'{identity}-training-{number}', title, unit, curves, run.phases, until=run.reached))
    return [plot for plot in plots if plot]


def _quality(run: Run, labeler: str) -> list[Quantity]:
    """Gather what was logged about the labels of a labeler."""

    def values(name: str, factor: float) -> tuple[float, ...]:
        return tuple(factor * entry.get(f'pseudo/{labeler}/{name}', math.nan) for entry in run.labelings)

    found = []
    for name, of_class, title, meaning, factor in LABELS:
        whole = values(name, factor)
        classes = {one: values(f'{of_class}/{one}', factor) for one in run.classes}
        if any(math.isfinite(value) for row in (whole, *classes.values()) for value in row):
            found.append(Quantity(title, meaning, whole if any(map(math.isfinite, whole)) else (), classes))
    return found


def _label_plots(run: Run, identity: str, labels: Sequence[tuple[str, str, list[Quantity]]]) -> list[Plot]:
    """Draw the quantities of all classes together, where there are phases enough for a line."""
    steps = [entry['step'] for entry in run.labelings]
    curves: dict[str, list[Curve]] = {}
    for name, color, quantities in labels if len(steps) > 1 else ():
        for quantity in quantities:
            if quantity.whole:
                curves.setdefault(quantity.title, []).append(Curve(name, color, steps, quantity.whole))
    plots = (
        draw(f'{identity}-labels-{n}', f'{title} of the pseudo labels', '%', lines, run.phases, until=run.reached)
        for n, (title, lines) in enumerate(curves.items())
    )
    return [plot for plot in plots if plot]


def _classes(run: Run) -> list[tuple[str, list[tuple[float | None, float | None]]]]:
    """Return for each class, and each peer and the ensemble, the IoU of the last and of the best validation."""
    columns = []
    for name in run.predictors:
        score = run.score(name, run.metric)
        columns.append((run.class_iou(name), run.class_iou(name, score.best_step) if score else {}))
    if not any(last for last, _ in columns):
        return []
    return [(one, [(last.get(one), best.get(one)) for last, best in columns]) for one in run.classes]


def _settings(run: Run) -> list[tuple[str, str]]:
    found = {}
    for name in run.peers:
        peer = as_dict(_at(run.config, f'model.peers.{name}'))
        parts = [peer, *(peer.get(part) for part in ('backbone', 'decode_head', 'head'))]
        found[f'Peer {name}'] = ', '.join(filter(None, map(_typed, parts)))
    found |= {title: _typed(_at(run.config, place)) for title, place in SETTINGS.items()}
    return [(title, text) for title, text in found.items() if text]


def _at(config: Any, place: str) -> Any:
    """Return the setting of a dotted name, or None."""
    for name in place.split('.'):
        config = as_dict(config).get(name)
    return config


def _typed(part: Any) -> str:
    """Name a part of a config with its numbers; a number stands for itself."""
    if type(part) in (int, float):
        return str(part)
    numbers = [f'{key}={value:g}' for key, value in as_dict(part).items() if type(value) in (int, float)]
    kind = str(as_dict(part).get('type', '')).removeprefix('mmdmt.')
    return f'{kind} ({", ".join(numbers)})' if kind and 0 < len(numbers) <= 6 else kind


def _known(facts: Any) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in as_dict(facts).items() if value]


def _times(run: Run) -> list[tuple[str, str]]:
    starts = run.starts
    times = [
        (f'Start {number}' if len(starts) > 1 else 'Ran', f'{begin:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S}')
        for number, (begin, end) in enumerate(starts, 1)
    ]
    for title, key in (('An iteration (median)', 'time'), ('of it, waiting for data', 'data_time')):
        _, seconds = series(run.training, key)
        if seconds:
            times.append((title, f'{1000 * median(seconds):.3g} ms'))
    _, memory = series(run.training, 'memory')
    if memory:
        times.append(('GPU memory, most', f'{count(int(max(memory)))} MiB'))
    return times

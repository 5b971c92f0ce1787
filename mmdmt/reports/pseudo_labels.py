"""Gather the quality of pseudo labels over the phases of a run."""

import math
from typing import NamedTuple

from mmdmt.reports.run import Run

# Scalars of all classes together and of single ones, how they are called in print, and the factor to percent.
QUANTITIES = (
    ('coverage', 'coverage', 'Coverage', 'share of the predicted pixels that is kept', 1.0),
    ('threshold', 'threshold', 'Threshold', 'confidence from which a label is kept', 100.0),
    ('precision', 'precision', 'Precision', 'share of the kept labels that is right', 1.0),
    ('mIoU', 'iou', 'IoU', 'of the kept labels with the masks', 1.0),
)


class Quantity(NamedTuple):
    """One quantity of a labeler's labels in each phase, in percent; NaN where it was not logged."""

    title: str
    meaning: str
    whole: tuple[float, ...]  # of all classes together; empty if it never was logged
    classes: dict[str, tuple[float, ...]]


def labelers(run: Run) -> list[str]:
    """Return the names of the labelers, in the order of the peers."""
    keys = (key.split('/') for entry in run.labelings for key in entry)
    names = dict.fromkeys(parts[1] for parts in keys if parts[0] == 'pseudo' and len(parts) > 2)
    return sorted(names, key=lambda name: run.peers.index(name) if name in run.peers else len(run.peers))


def quality(run: Run, labeler: str) -> list[Quantity]:
    """Gather what was logged about the labels of a labeler."""

    def values(name: str, factor: float) -> tuple[float, ...]:
        return tuple(factor * entry.get(f'pseudo/{labeler}/{name}', math.nan) for entry in run.labelings)

    found = []
    for name, of_class, title, meaning, factor in QUANTITIES:
        whole = values(name, factor)
        classes = {one: values(f'{of_class}/{one}', factor) for one in run.classes}
        if any(math.isfinite(value) for row in (whole, *classes.values()) for value in row):
            found.append(Quantity(title, meaning, whole if any(map(math.isfinite, whole)) else (), classes))
    return found


def trend(run: Run, labeler: str) -> str:
    """Return a sentence where coverage rises while precision falls, which looks like a fault, or else an empty one."""
    numbers = [entry['phase'] for entry in run.labelings]
    found = {quantity.title: quantity.whole for quantity in quality(run, labeler) if len(quantity.whole) > 1}
    coverage, precision = (found.get(title, (math.nan, math.nan)) for title in ('Coverage', 'Precision'))
    if not (coverage[-1] > coverage[0] and precision[-1] < precision[0]):
        return ''
    return (
        f'{labeler}: from phase {numbers[0]} to {numbers[-1]} coverage rises from {coverage[0]:.1f} to '
        f'{coverage[-1]:.1f} % while precision falls from {precision[0]:.1f} to {precision[-1]:.1f} %.'
    )

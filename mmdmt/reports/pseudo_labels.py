"""Gather the quality of pseudo labels over the phases of a run."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mmdmt.reports.run import Entry, Run

# Scalars of all classes together and of single ones, and how they are called in print.
QUANTITIES = (
    ('coverage', 'coverage', 'Coverage', 'share of the predicted pixels that is kept'),
    ('threshold', 'threshold', 'Threshold', 'confidence from which a label is kept'),
    ('precision', 'precision', 'Precision', 'share of the kept labels that is right'),
    ('mIoU', 'iou', 'IoU', 'of the kept labels with the masks'),
)


@dataclass(frozen=True)
class Quantity:
    """One quantity of a labeler's labels over the phases, in percent.

    Args:
        title: What it is called.
        meaning: What it is.
        whole: Of all classes together in each phase, NaN where it was not logged; empty if it never was.
        classes: Of each class in each phase; NaN where a class has no label.
    """

    title: str
    meaning: str
    whole: tuple[float, ...]
    classes: dict[str, tuple[float, ...]]


def labeled_phases(run: Run) -> list[int]:
    """Return the numbers of the phases that the labelings of a run are of."""
    return [entry['phase'] for entry in run.labelings]


def labelers(run: Run) -> list[str]:
    """Return the names of the labelers, in the order of the peers."""
    keys = (key.split('/') for entry in run.labelings for key in entry)
    names = dict.fromkeys(parts[1] for parts in keys if parts[0] == 'pseudo' and len(parts) > 2)
    return sorted(names, key=lambda name: run.peers.index(name) if name in run.peers else len(run.peers))


def quality(run: Run, labeler: str) -> list[Quantity]:
    """Gather what was logged about the labels of a labeler.

    Returns:
        list[Quantity]: Those that were logged, in percent; thresholds, too, which are logged between 0 and 1.
    """
    entries = run.labelings
    found = []
    for name, of_class, title, meaning in QUANTITIES:
        whole = _values(entries, f'pseudo/{labeler}/{name}')
        prefix = f'pseudo/{labeler}/{of_class}/'
        classes = {cls: _values(entries, f'{prefix}{cls}') for cls in run.classes}
        finite = [value for row in (whole, *classes.values()) for value in row if math.isfinite(value)]
        if finite:
            factor = 100.0 if name == 'threshold' else 1.0  # the others are logged in percent
            found.append(
                Quantity(
                    title,
                    meaning,
                    tuple(value * factor for value in whole) if any(map(math.isfinite, whole)) else (),
                    {key: tuple(value * factor for value in row) for key, row in classes.items()},
                )
            )
    return found


def trend(run: Run, labeler: str) -> str:
    """Tell that coverage rises while precision falls, which looks like a fault and is none; empty if that is not so."""
    numbers = labeled_phases(run)
    found = {quantity.title: quantity.whole for quantity in quality(run, labeler) if len(quantity.whole) > 1}
    coverage, precision = (found.get(title, (math.nan, math.nan)) for title in ('Coverage', 'Precision'))
    if not (coverage[-1] > coverage[0] and precision[-1] < precision[0]):
        return ''
    return (
        f'{labeler}: from phase {numbers[0]} to {numbers[-1]} coverage rises from {coverage[0]:.1f} to '
        f'{coverage[-1]:.1f} % while precision falls from {precision[0]:.1f} to {precision[-1]:.1f} %.'
    )


def labeling_seconds(run: Run) -> dict[int, float]:
    """Return how long the labeling of each phase took."""
    return {entry['phase']: entry['pseudo/seconds'] for entry in run.labelings if 'pseudo/seconds' in entry}


def _values(entries: Sequence[Entry], key: str) -> tuple[float, ...]:
    return tuple(float(entry.get(key, math.nan)) for entry in entries)

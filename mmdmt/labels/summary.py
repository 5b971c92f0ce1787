"""Summarize the pseudo labels of a labeler: a table for the log, scalars for curves."""

import math
from collections.abc import Iterator, Sequence

from mmdmt.labels.manifest import Manifest
from mmdmt.labels.quality import Quality


def table(manifest: Manifest, classes: Sequence[str], quality: Quality | None = None) -> str:
    """Write a table of the share of each class that is kept and, where the truth is known, of how right it is."""
    rows: list[tuple[str, ...]] = [('class', 'labels', 'kept', 'threshold', *(('precision', 'IoU') if quality else ()))]
    counts = (*zip(manifest.totals, manifest.kept, strict=True), (sum(manifest.totals), sum(manifest.kept)))
    thresholds = (*(f'{one:.7f}' for one in manifest.thresholds), '')
    columns = () if quality is None else _columns(quality)
    for number, name in enumerate((*classes, 'all')):
        total, kept = counts[number]
        share = f'{kept / total:.2%}' if total else 'none'
        measured = (_share(column[number]) for column in columns)
        rows.append((name, str(total), share, thresholds[number], *measured))
    widths = (max(len(row[0]) for row in rows), 12, 8, 11, 10, 8)
    lines = (' '.join(f'{text:>{size}}' for text, size in zip(row, widths, strict=False)) for row in rows)
    return '\n'.join(lines)


def scalars(manifest: Manifest, classes: Sequence[str], quality: Quality | None = None) -> dict[str, float]:
    """Gather what is drawn as curves; what is not defined is left out.

    Returns:
        dict[str, float]: ``pseudo/<labeler>/...``: ``coverage``, ``precision`` and ``mIoU`` of all classes,
        ``coverage/<class>``, ``precision/<class>`` and ``iou/<class>``, all in percent, and ``threshold/<class>``, a
        probability.
    """
    return {f'pseudo/{manifest.peer}/{key}': value for key, value in _values(manifest, classes, quality)}


def _values(manifest: Manifest, classes: Sequence[str], quality: Quality | None) -> Iterator[tuple[str, float]]:
    yield 'coverage', 100 * sum(manifest.kept) / max(sum(manifest.totals), 1)
    for name, total, kept, threshold in zip(classes, manifest.totals, manifest.kept, manifest.thresholds, strict=True):
        if total:
            yield f'coverage/{name}', 100 * kept / total
        if math.isfinite(threshold):
            yield f'threshold/{name}', threshold
    if quality is None:
        return
    for whole, of_class, column in zip(('precision', 'mIoU'), ('precision', 'iou'), _columns(quality), strict=True):
        for key, value in zip((*(f'{of_class}/{name}' for name in classes), whole), column, strict=True):
            if math.isfinite(value):
                yield key, value


def _columns(quality: Quality) -> tuple[list[float], list[float]]:
    """Precision and IoU of each class and, last, of all."""
    return (
        [*quality.precision.tolist(), quality.overall_precision],
        [*quality.iou.tolist(), quality.mean_iou],
    )


def _share(percent: float) -> str:
    return f'{percent:.2f}%' if math.isfinite(percent) else '-'

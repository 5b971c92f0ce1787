"""Go through the plain datasets that wrappers of datasets join, repeat or mix."""

from collections.abc import Iterator, Mapping
from typing import Any


def plain_datasets(dataset: Any) -> Iterator[Any]:
    """Yield the plain datasets of one that is built or a config, once each: itself if it wraps none.

    Wrappers hold others as ``datasets`` (``ConcatDataset``) or ``dataset`` (``RepeatDataset``, ...).
    """
    held = dataset.get if isinstance(dataset, Mapping) else lambda name: getattr(dataset, name, None)
    inner = held('datasets') or [part for part in [held('dataset')] if part is not None]
    for part in inner:
        yield from plain_datasets(part)
    if not inner:
        yield dataset


def all_transforms(dataset: Any) -> list[Any]:
    """Return the transforms of the plain datasets of a built dataset, then those of wrappers that mix images."""
    held = getattr(dataset, 'datasets', None) or [one for one in [getattr(dataset, 'dataset', None)] if one is not None]
    inner = [transform for part in held for transform in all_transforms(part)]
    pipeline = getattr(dataset, 'pipeline', None) or ()
    return [*inner, *getattr(pipeline, 'transforms', pipeline)]

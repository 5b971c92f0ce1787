"""Find in datasets and transforms of segmentation what they hold for ignored."""

from collections.abc import Iterator, Sequence
from typing import Any

from mmengine.dataset import BaseDataset, Compose

from mmdmt.labels.pixels.transforms import IgnoreMargins, LoadPseudoLabel
from mmdmt.rules.checked_pipeline import Transform

_HIGHEST = 255


def ignored_label(dataset: BaseDataset) -> int:
    """Return the label that a dataset ignores."""
    return int(getattr(dataset, 'ignore_index', _HIGHEST))


def ignored_places(name: str, dataset: BaseDataset) -> dict[str, int]:
    """Collect the ignored label of a plain dataset with masks, and of its transforms.

    Raises:
        ValueError: If no mask can hold it, or the loading of the masks makes another of it.
    """
    ignored = ignored_label(dataset)
    if not 0 <= ignored <= _HIGHEST:
        raise ValueError(
            f'ignore_index={ignored} of {name} cannot stand in a mask of 8 bits: give heads, datasets, padding and '
            f'metrics one in 0..{_HIGHEST}.'
        )
    label_map = getattr(dataset, 'label_map', None) or {}
    makes = 'reduce_zero_label=True' if getattr(dataset, 'reduce_zero_label', False) else ''
    makes = makes or ('its choice of classes' if _HIGHEST in label_map.values() else '')
    if makes and ignored != _HIGHEST:
        raise ValueError(
            f'ignore_index={ignored} of {name}, but {makes} turns labels into {_HIGHEST} when MMSegmentation loads '
            f'masks: give heads, datasets, padding and metrics ignore_index={_HIGHEST}, or convert the masks.'
        )
    transforms = getattr(getattr(dataset, 'pipeline', None), 'transforms', ())
    return {name: ignored, **ignored_by_transforms(name, transforms)}


def ignored_by_transforms(name: str, transforms: Sequence[Transform]) -> dict[str, int]:
    """Collect the label with which transforms pad, and which they ignore."""
    found = {}
    for transform in flat(transforms):
        for setting in ('seg_pad_val', 'seg_fill_in', 'ignore_index'):
            value = getattr(transform, setting, None)
            # Only for a limit to a class's share does RandomCrop look at labels.
            if isinstance(value, int) and getattr(transform, 'cat_max_ratio', 0) < 1:
                found[f'{setting} of {type(transform).__name__} of {name}'] = value
        pads = getattr(transform, 'pad_val', None)
        if isinstance(pads, dict):
            found[f"pad_val['seg'] of {type(transform).__name__} of {name}"] = pads.get('seg', _HIGHEST)
    return found


def hand_ignored_label(transforms: Sequence[Transform], ignored: int) -> None:
    """Let the transforms of pseudo labels ignore what the labeled images ignore, unless they say otherwise."""
    for transform in flat(transforms):
        if isinstance(transform, LoadPseudoLabel | IgnoreMargins) and transform.ignore_index is None:
            transform.ignore_index = ignored


def flat(transforms: Any) -> Iterator[Transform]:
    """Yield transforms, and those that others hold."""
    for transform in transforms.transforms if isinstance(transforms, Compose) else transforms:
        if isinstance(transform, list | tuple | Compose):
            yield from flat(transform)
            continue
        yield transform
        held = getattr(transform, 'transforms', None)
        if isinstance(held, list | tuple | Compose):
            yield from flat(held)

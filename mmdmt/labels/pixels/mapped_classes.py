"""Give the masks of an evaluated dataset the ids that classes of the same names have elsewhere."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmcv.transforms import LoadAnnotations
from mmengine.dataset import BaseDataset, Compose
from numpy.typing import NDArray

from mmdmt.labels.pixels.label_facts import ignored_label
from mmdmt.rules.checked_pipeline import CheckedPipeline


class MapIds:
    """Replace the ids of a loaded mask.

    Args:
        table (np.ndarray): uint8 (256,); the new id of each.
    """

    def __init__(self, table: NDArray[np.uint8]) -> None:
        self.table = table

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace them."""
        results['gt_seg_map'] = self.table[results['gt_seg_map']]
        return results


def map_classes(name: str, dataset: BaseDataset, classes: Sequence[str]) -> None:
    """Map the ids of the masks of a plain dataset by the names of their classes.

    Raises:
        ValueError: If it has a class that the model does not know.
    """
    own = list(dataset.metainfo.get('classes') or classes)
    if own == list(classes):
        return
    strange = [one for one in own if one not in classes]
    if strange:
        raise ValueError(
            f'map_classes=True of DMTHook maps classes by name, but {", ".join(strange)} of {name} is none of '
            f'{", ".join(classes)}: name the classes alike, or convert the masks.'
        )
    table = np.full(256, ignored_label(dataset), np.uint8)
    table[: len(own)] = [list(classes).index(one) for one in own]
    table[ignored_label(dataset)] = ignored_label(dataset)
    steps = list(dataset.pipeline.transforms)
    place = next(number for number, step in enumerate(steps) if isinstance(step, LoadAnnotations))
    steps.insert(place + 1, MapIds(table))
    checked = dataset.pipeline  # before a run checks it, or after
    if isinstance(checked, CheckedPipeline):
        dataset.pipeline = CheckedPipeline(steps, checked.check, place, checked.evaluated)
    else:
        dataset.pipeline = Compose(steps)
    dataset._metainfo['classes'] = tuple(classes)

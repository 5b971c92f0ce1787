"""What data leave to the space of their labels, and which space a dataset is of.

Rooms of spaces are entered only here and only when they are needed: segmentation works without MMPretrain, and
classification without MMSegmentation.
"""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from mmengine.dataset import BaseDataset
from numpy.typing import NDArray

from mmdmt.labels.labeling import LabelStore
from mmdmt.rules.checked_pipeline import Transform, described
from mmdmt.rules.findings import Finding

TruthReader = Callable[[dict[str, Any]], np.ndarray | None]


class LabelSpace(LabelStore, Protocol):
    """How labels of one space, pixels or images, are loaded, stored and checked."""

    @property
    def name(self) -> str:
        """``'pixels'`` or ``'images'``."""

    @property
    def files(self) -> tuple[str, ...]:
        """What names a file in the information on a labeled image."""

    @property
    def label_key(self) -> str:
        """What names or holds the label in the information on an image."""

    @property
    def max_classes(self) -> int:
        """How many classes a bank can tell apart."""

    def training_transforms(self, labeled: BaseDataset) -> list[Transform]:
        """Turn the pipeline of annotated images into one of pseudo-labeled images."""

    def labeling_transforms(self, training: Sequence[Transform]) -> list[Transform]:
        """Return what an image goes through to be labeled."""

    def known_items(
        self, pipeline: Sequence[Transform], info: dict[str, Any], classes: int
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Push an unlabeled image with a known label through a pipeline; return it packed with two different labels."""

    def forget_label(self, sample: Any, ignored: int | None) -> None:
        """Leave no label in a packed image whose label is made online; what is left is ignored."""

    def hide_label(self, info: dict[str, Any]) -> None:
        """Take the label out of the information on an unlabeled image."""

    def truth_reader(self, labeled: Sequence[BaseDataset], labeling: Sequence[Transform]) -> TruthReader:
        """Return what loads the label of an unlabeled image that has one, in the geometry in which it is labeled."""

    def class_counts(self, labeled: Sequence[BaseDataset]) -> NDArray[np.int64] | None:
        """Count the labels of each class in each labeled image, (images, classes); None if an image has one label."""

    def check_when_loaded(self, dataset: BaseDataset) -> None:
        """Let a plain dataset check each label that it loads, and name the file of what fails in its pipeline."""

    def undo_padding(self, name: str, dataset: BaseDataset, pads_again: bool) -> None:
        """Let predictions for a dataset come back in the geometry of its files, or refuse what cannot be undone."""

    def look(self, name: str, dataset: BaseDataset) -> list[Finding]:
        """Look at some images of a plain dataset and their labels before a run; return what is odd about images."""

    def absent_classes(self, labeled: Sequence[BaseDataset]) -> list[str]:
        """Name the classes that no labeled image has, as far as a run can know it before it starts."""

    def ignored(self, name: str, dataset: BaseDataset) -> dict[str, int]:
        """Collect the label that a dataset ignores, and those of its transforms, by the place that has it."""

    def ignored_by(self, name: str, transforms: Sequence[Transform]) -> dict[str, int]:
        """Collect the labels that the transforms of unlabeled images ignore, by the place that has it."""

    def hand_ignored(self, labeled: Sequence[BaseDataset], transforms: Sequence[Transform]) -> int | None:
        """Let the transforms of pseudo labels ignore what the labeled images ignore; return that label."""

    def pseudo_labeled(self, bank: Path) -> Sequence[int]:
        """Return the images that can be drawn with the labels of a bank."""


@cache
def space_named(name: str) -> LabelSpace:
    """Return a label space by its name, ``'pixels'`` or ``'images'``."""
    if name == 'pixels':
        from mmdmt.labels.pixels.labels import PixelLabels

        return PixelLabels()
    from mmdmt.labels.images.labels import ImageLabels

    return ImageLabels()


def space_of_pipeline(transforms: Sequence[Transform]) -> LabelSpace:
    """Return the label space of a labeled dataset, by the transform that packs its samples.

    Args:
        transforms (Sequence[Callable]): Its pipeline.

    Raises:
        ValueError: If it packs for neither toolbox.
    """
    # By name, because neither toolbox needs the other to be installed.
    packing = {kind.__name__ for transform in transforms for kind in type(transform).__mro__}
    if 'PackSegInputs' in packing:
        return space_named('pixels')
    if 'PackInputs' in packing:
        return space_named('images')
    raise ValueError(
        f'The pipeline of the labeled dataset ({described(transforms)}) packs nothing: end it with dict(type='
        "'PackSegInputs') for segmentation or dict(type='PackInputs') for classification."
    )

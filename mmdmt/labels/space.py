"""How labels of one space, pixels or images, are loaded, stored and checked, and which space a dataset is of.

Rooms of spaces are entered only here and only when they are needed: segmentation works without MMPretrain, and
classification without MMSegmentation.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from numpy.typing import NDArray

from mmdmt.rules.checked_pipeline import Transform, described
from mmdmt.rules.findings import Finding

TruthReader = Callable[[dict[str, Any]], np.ndarray | None]


class LabelSpace(ABC):
    """A space of labels; defaults are those of labels without pixels.

    Attributes:
        name: ``'pixels'`` or ``'images'``.
        files: What names a file in the information on a labeled image.
        label_key: What names or holds the label in that information.
        max_classes: How many classes a bank can tell apart.
        bank: Opens a complete :class:`~mmdmt.labels.labeling.Bank`.
        recorder: Returns what writes one, a :class:`~mmdmt.labels.labeling.Recorder`.
    """

    name: str
    files: tuple[str, ...]
    label_key: str
    max_classes: int
    bank: Any
    recorder: Any

    @abstractmethod
    def training_transforms(self, labeled: BaseDataset) -> list[Transform]:
        """Turn the pipeline of annotated images into one of pseudo-labeled images."""

    @abstractmethod
    def labeling_transforms(self, training: Sequence[Transform]) -> list[Transform]:
        """Return what an image goes through to be labeled: all that stands before its label is loaded, and packing.

        Raises:
            ValueError: If the transforms load no pseudo label, or drop its confidence or move it otherwise.
        """

    @abstractmethod
    def known_items(
        self, pipeline: Sequence[Transform], info: dict[str, Any], classes: int
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Push an unlabeled image with a known label through a pipeline; return it packed with two different labels.

        Raises:
            ValueError: If label and confidence do not come out together.
        """

    @abstractmethod
    def truth_reader(self, labeled: Sequence[BaseDataset], labeling: Sequence[Transform]) -> TruthReader:
        """Return what loads the label of an unlabeled image that has one, in the geometry in which it is labeled."""

    @abstractmethod
    def check_when_loaded(self, dataset: BaseDataset) -> None:
        """Make a plain dataset check each label that it loads, and name the file of what fails in its pipeline."""

    @abstractmethod
    def pseudo_labeled(self, bank: Path) -> Sequence[int]:
        """Return the images that can be drawn with the labels of a bank."""

    @abstractmethod
    def absent_classes(self, labeled: Sequence[BaseDataset]) -> list[str]:
        """Name the classes that no labeled image has, as far as a run can know it before it starts."""

    def forget_label(self, sample: Any, ignored: int | None) -> None:  # noqa: B027  nothing to do is a default
        """Ignore the label of a packed image whose label is made online."""

    def class_counts(self, labeled: Sequence[BaseDataset]) -> NDArray[np.int64] | None:
        """Count the pixels of each class in each labeled image, (images, classes); None if an image has one label."""
        return None

    def undo_padding(self, name: str, dataset: BaseDataset, pads_again: bool) -> None:  # noqa: B027
        """Cut padding off predictions for a dataset that is evaluated, and refuse what else moves its images.

        Args:
            name (str): As sentences name the dataset.
            dataset (BaseDataset): After :meth:`check_when_loaded`; changed in place.
            pads_again (bool): Whether a ``data_preprocessor`` pads in testing, too.

        Raises:
            ValueError: If its padding or another transform cannot be undone.
        """

    def look(self, name: str, dataset: BaseDataset) -> list[Finding]:
        """Look at some images of a plain dataset and their labels before a run; return what is odd about images."""
        return []

    def ignored(self, name: str, dataset: BaseDataset) -> dict[str, int]:
        """Collect the label that a dataset ignores, and those of its transforms, by the place that has it.

        Raises:
            ValueError: If no mask can hold it, or the loading of the masks makes another of it.
        """
        return {}

    def ignored_by(self, name: str, transforms: Sequence[Transform]) -> dict[str, int]:
        """Collect the labels that the transforms of unlabeled images ignore, by the place that has it."""
        return {}

    def hand_ignored(self, labeled: Sequence[BaseDataset], transforms: Sequence[Transform]) -> int | None:
        """Make the transforms of pseudo labels ignore what the labeled images ignore; return that label."""
        return None


@cache
def space_named(name: str) -> LabelSpace:
    """Return a label space by its name, ``'pixels'`` or ``'images'``."""
    if name == 'pixels':
        from mmdmt.labels.pixels.labels import PixelLabels

        return PixelLabels()
    from mmdmt.labels.images.labels import ImageLabels

    return ImageLabels()


def space_of_pipeline(transforms: Sequence[Transform]) -> LabelSpace:
    """Return the label space of a labeled dataset, by the transform of its pipeline that packs its samples.

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

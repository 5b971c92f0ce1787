"""What is labeled: the pixels of an image, or an image as a whole."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from mmengine.dataset import BaseDataset

from mmdmt.pseudo_labels.labeling import Bank, Recorder

Transform = Callable[[dict[str, Any]], Any]
TruthReader = Callable[[dict[str, Any]], np.ndarray | None]


class LabelKind(Protocol):
    """What :class:`mmdmt.MutualDataset` leaves to a kind of labels."""

    @property
    def files(self) -> tuple[str, ...]:
        """What names a file in the information on a labeled image."""

    @property
    def label_key(self) -> str:
        """What names or holds the label in the information on an image."""

    @property
    def bank(self) -> Callable[[Path], Bank]:
        """What reads a bank of such labels."""

    @property
    def recorder(self) -> Callable[..., Recorder]:
        """What writes one."""

    def training_transforms(self, labeled: BaseDataset) -> list[Transform]:
        """Turn the pipeline of annotated images into one of pseudo-labeled images."""

    def labeling_transforms(self, training: Sequence[Transform]) -> list[Transform]:
        """Return what an image goes through to be labeled."""

    def hide_label(self, info: dict[str, Any]) -> None:
        """Take the label out of the information on an unlabeled image."""

    def truth_reader(self, labeled: Sequence[BaseDataset], labeling: Sequence[Transform]) -> TruthReader:
        """Return what loads the label of an unlabeled image that has one, in the geometry in which it is labeled."""

    def check_label(self, dataset: BaseDataset, sample: Any) -> None:
        """Check the label of an image that has just been loaded."""

    def pseudo_labeled(self, bank: Path) -> Sequence[int]:
        """Return the images that can be drawn with the labels of a bank."""


def kind_of(transforms: Sequence[Transform]) -> LabelKind:
    """Tell what kind of labels a pipeline loads, by what packs them.

    Args:
        transforms (Sequence[Callable]): Of a labeled dataset.

    Raises:
        ValueError: If it packs for neither toolbox.
    """
    # By name, because neither toolbox needs the other to be installed.
    packing = {kind.__name__ for transform in transforms for kind in type(transform).__mro__}
    if 'PackSegInputs' in packing:
        from mmdmt.tasks.segmentation.labels import PixelLabels

        return PixelLabels()
    if 'PackInputs' in packing:
        from mmdmt.tasks.classification.labels import ImageLabels

        return ImageLabels()
    raise ValueError(
        f'The pipeline of the labeled dataset ({described(transforms)}) packs nothing: end it with dict(type='
        "'PackSegInputs') for segmentation or dict(type='PackInputs') for classification."
    )


def described(transforms: Sequence[Transform]) -> str:
    """Name the transforms of a pipeline, for an error message."""
    return ', '.join(type(transform).__name__ for transform in transforms)

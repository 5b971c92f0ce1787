"""The protocol of a task: all that differs between labels of pixels and labels of images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement
from numpy.typing import NDArray
from torch import Tensor, nn

from mmdmt.labels.labeling import LabelStore
from mmdmt.rules.checked_pipeline import Transform
from mmdmt.rules.findings import Finding

if TYPE_CHECKING:  # the rooms of models import this one
    from mmdmt.losses import DynamicMutualLoss
    from mmdmt.mixes import Mix

WEAK_VIEW = 'weak_view'
"""Key of the view that an online labeler sees: uint8 (3, H, W), packed beside the learner's."""

TruthReader = Callable[[dict[str, Any]], np.ndarray | None]


class PeerSide(Protocol):
    """What :class:`mmdmt.DynamicMutualTraining` leaves to the task: how models of its kind learn and predict."""

    @property
    def default_loss(self) -> str:
        """Type of the loss that peers get if the config names none."""

    def place_loss(self, name: str, peer: nn.Module, loss: dict[str, Any]) -> 'list[DynamicMutualLoss]':
        """Put our loss in place of a peer's own, the one whose counts are logged first."""

    def num_classes(self, peer: nn.Module) -> int:
        """Return the number of classes that a peer predicts."""

    def ignored(self, name: str, peer: BaseModel) -> dict[str, int]:
        """Collect the label that a peer ignores, by the place that has it."""

    def losses(
        self,
        peer: nn.Module,
        bare: BaseModel,
        data: dict[str, Any],
        placed: 'list[DynamicMutualLoss]',
        mixes: 'Sequence[Mix]',
    ) -> dict[str, Tensor]:
        """Forward a peer's share of a batch, not preprocessed, and return its losses."""

    def label_online(
        self, labeler: BaseModel, views: Sequence[Tensor], samples: Sequence[Any], label_ratio: float | None = None
    ) -> None:
        """Give samples the labels that a labeler in evaluation mode predicts for their views, and its confidence."""

    def check_online(self, label_ratio: float | None) -> None:
        """Refuse a share of the labels of a batch that images of this task cannot be reduced to."""

    def check_mixes(self, mixes: 'Sequence[Mix]') -> None:
        """Refuse mixes that images of this task cannot go through."""

    def average(self, views: Sequence[Any]) -> BaseDataElement:
        """Average what one peer predicts for several views of an image."""

    def combine(self, by_peer: dict[str, Any], predicted_by: str) -> BaseDataElement:
        """Join what the peers predict for one image."""


class LabelSide(LabelStore, Protocol):
    """What :class:`mmdmt.MutualDataset` and labeling leave to the task: how labels are loaded, stored and checked."""

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

    def check_moves(self, pipeline: Sequence[Transform], info: dict[str, Any], ignore_index: int) -> None:
        """Check that the pipeline of annotated images moves an image and its label alike."""

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


@dataclass(frozen=True)
class Task:
    """A task, chosen once by the models and once by the data of a run, which must agree.

    Args:
        name: As sentences name it.
        peers: What its models do differently.
        labels: What its data do differently.
    """

    name: str
    peers: PeerSide
    labels: LabelSide

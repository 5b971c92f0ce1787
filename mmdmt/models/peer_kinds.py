"""What the wrapper leaves to the kind of its peers, and which kind a model is of.

The modules of kinds are imported only when they are needed: segmentation works without MMPretrain, and classification
without MMSegmentation.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement
from torch import Tensor, nn

from mmdmt.losses import DynamicMutualLoss
from mmdmt.mixes import Mix


class PeerKind(Protocol):
    """How models of one kind learn and predict."""

    @property
    def space(self) -> str:
        """What their labels are of: ``'pixels'`` or ``'images'``, as ``name`` of the data's label space."""

    def place_loss(self, name: str, peer: nn.Module, loss: dict[str, Any]) -> list[DynamicMutualLoss]:
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
        placed: list[DynamicMutualLoss],
        mixes: Sequence[Mix],
    ) -> dict[str, Tensor]:
        """Forward a peer's share of a batch, not preprocessed, and return its losses."""

    def predict_views(self, peer: BaseModel, views: Sequence[Tensor]) -> Tensor:
        """Predict views of unlabeled images in evaluation mode: float32 (classes, labels), image after image."""

    def ignored_label(self, peer: BaseModel) -> int:
        """Return the label that a peer ignores."""

    def wanted(self, samples: Sequence[Any], ignored: int) -> Tensor:
        """Return where labels of samples, one after the other in a row, are wanted: bool (labels,)."""

    def teach(self, samples: Sequence[Any], label: Tensor, confidence: Tensor, weights: Tensor | None) -> None:
        """Give samples their labels, confidences and, if these are known, weights, out of rows of all of them."""

    def predict(self, peer: nn.Module, data: dict[str, Any]) -> Iterable[Any]:
        """Forward images to be labeled, as the recorder of the label space takes it."""

    def average(self, views: Sequence[Any]) -> BaseDataElement:
        """Average what one peer predicts for several views of an image."""

    def combine(self, by_peer: dict[str, Any], predicted_by: str) -> BaseDataElement:
        """Join what the peers predict for one image."""


def kind_of(name: str, peer: nn.Module) -> PeerKind:
    """Return the kind of a model.

    Raises:
        ValueError: If it is neither a segmentor nor a classifier.
    """
    if getattr(peer, 'decode_head', None) is not None:
        from mmdmt.models.segmentors import Segmentors

        return Segmentors()
    if getattr(peer, 'backbone', None) is not None and getattr(peer, 'head', None) is not None:
        from mmdmt.models.classifiers import Classifiers

        return Classifiers()
    raise ValueError(
        f'Peer {name!r} is a {type(peer).__name__}, which has no decode_head and no head: give an EncoderDecoder or '
        'CascadeEncoderDecoder of MMSegmentation, or an ImageClassifier of MMPretrain.'
    )

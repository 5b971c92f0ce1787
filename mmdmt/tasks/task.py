"""What peers of one kind have of their own: segmentors and classifiers."""

from typing import Any, Protocol

from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement
from torch import Tensor, nn

from mmdmt.models.losses import DynamicMutualLoss
from mmdmt.tasks.classification.peers import Classification
from mmdmt.tasks.segmentation.peers import Segmentation


class Task(Protocol):
    """What :class:`mmdmt.DynamicMutualTraining` asks of a kind of peers."""

    default_loss: str

    def place_loss(self, name: str, peer: nn.Module, loss: dict[str, Any]) -> list[DynamicMutualLoss]:
        """Put our loss in place of a peer's own, the one whose counts are logged first."""

    def num_classes(self, peer: nn.Module) -> int:
        """Return the number of classes that a peer predicts."""

    def losses(
        self, peer: nn.Module, bare: BaseModel, data: dict[str, Any], placed: list[DynamicMutualLoss]
    ) -> dict[str, Tensor]:
        """Forward a peer's share of a batch, not preprocessed, and return its losses."""

    def combine(self, by_peer: dict[str, Any], predicted_by: str) -> BaseDataElement:
        """Join what the peers predict for one image."""


def task_of(name: str, peer: nn.Module) -> Task:
    """Tell what kind of model a peer is.

    Args:
        name (str): Of the peer, for the error message.
        peer (nn.Module): Any model.

    Raises:
        ValueError: If it is neither a segmentor nor a classifier.
    """
    if getattr(peer, 'decode_head', None) is not None:
        return Segmentation()
    if getattr(peer, 'backbone', None) is not None and getattr(peer, 'head', None) is not None:
        return Classification()
    raise ValueError(
        f'Peer {name!r} is a {type(peer).__name__}, which has no decode_head and no head: give an EncoderDecoder or '
        'CascadeEncoderDecoder of MMSegmentation, or an ImageClassifier of MMPretrain.'
    )

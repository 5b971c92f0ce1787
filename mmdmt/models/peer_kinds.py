"""What the wrapper leaves to the kind of its peers, and which kind a model is of.

The modules of kinds are imported only when they are needed: either toolbox works without the other.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement
from torch import Tensor, nn

from mmdmt.losses import DynamicMutualLoss
from mmdmt.mixes import Mix
from mmdmt.registry import MODELS


class PeerKind(Protocol):
    """How models of one kind learn and predict.

    Attributes:
        space: What their labels are of: ``'pixels'`` or ``'images'``, as ``name`` of the data's label space.
        predicted: The fields of a prediction that metrics read.
    """

    space: str
    predicted: tuple[str, ...]

    def place_loss(self, name: str, peer: nn.Module, loss: dict[str, Any]) -> list[DynamicMutualLoss]:
        """Put our loss, given its config, in place of a peer's own; the one whose counts are logged comes first.

        Each takes over ``ignore_index`` from what it stands in.

        Raises:
            ValueError: If a head computes anything but a softmax cross entropy, naming peer, head and loss; or if its
                loss weighs another number of classes than it predicts.
        """

    def num_classes(self, peer: nn.Module) -> int:
        """Return the number of classes that the main head of a peer predicts."""

    def ignored(self, name: str, peer: BaseModel) -> dict[str, int]:
        """Collect the label that heads and preprocessor of a peer ignore, by the place that has it."""

    def losses(
        self,
        peer: nn.Module,
        bare: BaseModel,
        data: dict[str, Any],
        placed: list[DynamicMutualLoss],
        mixes: Sequence[Mix],
    ) -> dict[str, Tensor]:
        """Forward a peer, ``bare`` without its distributed wrapper, for its share of a batch, and return its losses.

        The batch, ``inputs`` and ``data_samples``, is not preprocessed; one with pseudo labels is mixed after that.
        """

    def predict_views(self, peer: BaseModel, views: Sequence[Tensor]) -> Tensor:
        """Predict unlabeled images, uint8 (3, H, W): softmax, float32 (classes, labels), one image after the other."""

    def wanted(self, samples: Sequence[Any], ignored: int) -> Tensor:
        """Return which labels of samples, in one row, are wanted: bool (labels,)."""

    def teach(self, samples: Sequence[Any], label: Tensor, confidence: Tensor, weights: Tensor | None) -> None:
        """Give samples their labels, ``pseudo_confidence`` and ``pseudo_weight``, if known, out of rows of all."""

    def predict(self, peer: nn.Module, data: dict[str, Any]) -> Iterable[Any]:
        """Forward images to be labeled, as the recorder of the label space takes it."""

    def average(self, views: Sequence[Any]) -> BaseDataElement:
        """Average predictions for one image: a peer's of several views, or those of all peers."""


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


def loss_in_place_of(
    own: Any, entropy: Any, config: Mapping[str, Any], num_classes: int, where: str, supported: str
) -> DynamicMutualLoss:
    """Build our loss in place of a softmax cross entropy, with its ``loss_weight``; one of ours stays as it is.

    Raises:
        ValueError: If a head computes another loss, the config makes another, or ``class_weight`` does not fit.
    """
    loss = own
    if not isinstance(own, DynamicMutualLoss):
        if not isinstance(own, entropy) or own.use_sigmoid or getattr(own, 'use_mask', False):
            raise ValueError(f'The {where} computes {own} in place of a softmax cross entropy: {supported}.')
        loss = MODELS.build({**config, 'loss_weight': own.loss_weight * config.get('loss_weight', 1.0)})
    if not isinstance(loss, DynamicMutualLoss):
        raise ValueError(
            f'loss=dict(type={config["type"]!r}) of DynamicMutualTraining makes a {type(loss).__name__}: give '
            "type='mmdmt.DynamicMutualLoss' or a subclass of it."
        )
    loss.check_classes(num_classes, where)
    return loss

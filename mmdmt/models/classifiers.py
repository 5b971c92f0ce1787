"""Train MMPretrain's classifiers as peers, with our loss in place of their cross entropy."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement
from mmpretrain.models.heads import ClsHead
from mmpretrain.models.losses import CrossEntropyLoss
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmdmt.losses import DynamicMutualLoss
from mmdmt.method.mixing import Batch
from mmdmt.method.weights import GROUND_TRUTH
from mmdmt.mixes import Mix, mix_all
from mmdmt.models.peer_kinds import loss_in_place_of
from mmdmt.models.prediction import preprocessed

NO_LABEL = -100
"""A label that no image has: 255 is a class of ImageNet."""
SUPPORTED = (
    'DMT weighs images, so the head must be a ClsHead with CrossEntropyLoss and a softmax, without class weights (as '
    'LinearClsHead or VisionTransformerClsHead have it)'
)


class Classifiers:
    """MMPretrain's classifiers as peers; see :class:`~mmdmt.models.peer_kinds.PeerKind`."""

    space = 'images'
    predicted: tuple[str, ...] = ('pred_score', 'pred_label')

    def place_loss(self, name: str, peer: nn.Module, loss: dict[str, Any]) -> list[DynamicMutualLoss]:
        head: Any = peer.head
        where = f'head ({type(head).__name__}) of peer {name!r}'
        if not isinstance(head, ClsHead):
            raise ValueError(f'The {where} must be a ClsHead: {SUPPORTED}.')
        own: Any = head.loss_module
        if isinstance(own, CrossEntropyLoss) and own.class_weight is not None:
            raise ValueError(f'The {where} has class_weight={own.class_weight}: {SUPPORTED}; drop class_weight.')
        placed = loss_in_place_of(own, CrossEntropyLoss, loss, self.num_classes(peer), where, SUPPORTED)
        placed.ignore_index = NO_LABEL
        head.loss_module = placed
        return [placed]

    def num_classes(self, peer: nn.Module) -> int:
        classes = getattr(peer.head, 'num_classes', None)
        if classes is None:
            raise ValueError(f'The head ({type(peer.head).__name__}) has no num_classes: {SUPPORTED}.')
        return int(classes)

    def ignored(self, name: str, peer: BaseModel) -> dict[str, int]:
        return {}  # each image has a label

    def losses(
        self,
        peer: nn.Module,
        bare: BaseModel,
        data: dict[str, Any],
        placed: list[DynamicMutualLoss],
        mixes: Sequence[Mix],
    ) -> dict[str, Tensor]:
        """Forward a classifier's share of a batch.

        One without pseudo labels goes through its own batch augmentations; one that is mixed is weighed unmixed,
        without gradient, then mixed and learned.
        """
        (loss,) = placed
        pseudo = [number for number, sample in enumerate(data['data_samples']) if 'pseudo_confidence' in sample]
        batch = bare.data_preprocessor(data, not pseudo)
        if not pseudo:
            return _named(loss, peer(**batch, mode='loss'), loss.accuracy)
        inputs, samples = batch['inputs'], batch['data_samples']
        for sample in samples:
            sample.pop('gt_score', None)  # one-hot labels, made for batch augmentations of its own
        label = torch.cat([sample.gt_label for sample in samples])
        confidence = _stacked(samples, 'pseudo_confidence', GROUND_TRUTH, label.device)
        weighed = any('pseudo_weight' in sample for sample in samples)
        weights = _stacked(samples, 'pseudo_weight', 1.0, label.device) if weighed else None
        if not mixes:
            with loss.pseudo_targets(confidence, weights):
                return _named(loss, peer(inputs, samples, mode='loss'), loss.accuracy)
        accuracy = None
        if weights is None:
            with torch.no_grad(), _untouched_statistics(bare):
                compared, weights = loss.weigh(bare(inputs, mode='tensor'), label, confidence)
            accuracy = 100 * (compared.prediction == label).float().mean()
            label = compared.label_index
        weights = loss.weights_to_mix(weights, confidence)
        classes = self.num_classes(bare)
        mixed = mix_all(Batch(inputs, F.one_hot(label, classes).float(), confidence, weights), mixes, pseudo, classes)
        for sample, scores in zip(samples, mixed.label, strict=True):
            sample.set_gt_score(scores)
        with loss.pseudo_targets(mixed.confidence, mixed.weight):
            return _named(loss, peer(mixed.inputs, samples, mode='loss'), accuracy)

    def predict_views(self, peer: BaseModel, views: Sequence[Tensor]) -> Tensor:
        data = {'inputs': list(views), 'data_samples': [DataSample() for _ in views]}
        logits = peer(peer.data_preprocessor(data, False)['inputs'], mode='tensor')
        return torch.as_tensor(logits.float().softmax(dim=1).T)

    def wanted(self, samples: Sequence[Any], ignored: int) -> Tensor:
        return torch.ones(len(samples), dtype=torch.bool)

    def teach(self, samples: Sequence[Any], label: Tensor, confidence: Tensor, weights: Tensor | None) -> None:
        for number, sample in enumerate(samples):
            sample.set_gt_label(label[number : number + 1])
            sample.set_field(confidence[number], 'pseudo_confidence')
            if weights is not None:
                sample.set_field(weights[number], 'pseudo_weight')

    def predict(self, peer: nn.Module, data: dict[str, Any]) -> Iterator[tuple[list[int], Tensor]]:
        data = {**data, 'data_samples': [sample.new() for sample in data['data_samples']]}
        for positions, inputs, _ in preprocessed(peer, data):
            yield positions, peer(inputs, mode='tensor').softmax(dim=1, dtype=torch.float32)

    def average(self, views: Sequence[Any]) -> BaseDataElement:
        score = torch.stack([sample.pred_score.float() for sample in views]).mean(dim=0)
        averaged: Any = views[0].new()
        return averaged.set_pred_score(score).set_pred_label(score.argmax(keepdim=True))


def _stacked(data_samples: Sequence[BaseDataElement], name: str, of_truth: float, device: torch.device) -> Tensor:
    """Stack a number of each sample, (N,) float32; ``of_truth`` where it has none, as ground truth."""
    known = [torch.as_tensor(sample.get(name, of_truth)) for sample in data_samples]
    return torch.stack([one.to(device, torch.float32, non_blocking=True) for one in known])


def _named(loss: DynamicMutualLoss, losses: dict[str, Tensor], accuracy: Tensor | None) -> dict[str, Tensor]:
    """Give the loss its own name, with the accuracy beside it: MMEngine calls the sum of all ``loss``."""
    named = {loss.loss_name if key == 'loss' else key: value for key, value in losses.items()}
    return named if accuracy is None else {**named, 'accuracy': accuracy}


@contextmanager
def _untouched_statistics(model: nn.Module) -> Iterator[None]:
    """Keep the running statistics of batch norms, which use those of the batch in training."""
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm) and m.track_running_stats]
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True

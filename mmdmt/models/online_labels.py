"""Label unlabeled images in the iteration that learns from them."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from mmengine.dist import all_reduce
from mmengine.model import BaseModel
from mmengine.structures import PixelData
from torch import Tensor

from mmdmt.evaluation_mode import evaluation_mode
from mmdmt.losses import DynamicMutualLoss
from mmdmt.method.confidence_levels import quantize_tensor
from mmdmt.method.draws import ONLINE, WEAK_VIEW
from mmdmt.method.online import OnlineLabels
from mmdmt.method.thresholds import class_thresholds, count_levels
from mmdmt.method.weights import compare_probability
from mmdmt.models.names import ENSEMBLE
from mmdmt.models.peer_kinds import PeerKind


@dataclass
class OnlineLabeling:
    """Labels the unlabeled images of a phase; the labels of a learner in an iteration are one long row.

    Args:
        settings: Of the phase.
        kind: That of the peers.
        models: Who labels, by the names of the peers: these or their averages.
        labelers: For each peer the one whose labels it learns from.
        losses: The loss of each peer's main head, which weighs.
        num_classes: How many classes there are.
    """

    settings: OnlineLabels
    kind: PeerKind
    models: Mapping[str, BaseModel]
    labelers: Mapping[str, str]
    losses: Mapping[str, DynamicMutualLoss]
    num_classes: int
    seen: dict[str, Tensor] = field(default_factory=dict)
    """For each learner how often each class was predicted with each confidence, float64; lately counts more."""
    counts: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    """For each learner what the rule has found on the weak view in this iteration."""

    @torch.no_grad()
    def label(
        self,
        shares: Mapping[str, dict[str, Any]],
        precision: Callable[[str], AbstractContextManager[Any]] = lambda _: nullcontext(),
    ) -> None:
        """Label those images of a batch whose labels are made online; of the same crops each model predicts once."""
        self.counts = {}
        predicted: dict[str, Tensor] = {}
        for learner, share in shares.items():
            numbers = [i for i, sample in enumerate(share['data_samples']) if sample.metainfo.get(ONLINE)]
            if not numbers:
                continue
            samples = [share['data_samples'][i] for i in numbers]
            views = [_weak_view(sample, share['inputs'][i]) for i, sample in zip(numbers, samples, strict=True)]
            if not self.settings.same_crops:
                predicted = {}
            teachers = list(self.models) if self.settings.labeler == ENSEMBLE else [self.labelers[learner]]
            weighs = [learner] if self.settings.weigh_by == 'weak' else []
            for name in dict.fromkeys([*teachers, *weighs]):
                if name not in predicted:
                    with evaluation_mode([self.models[name]]), precision(name):
                        predicted[name] = self.kind.predict_views(self.models[name], views)
            own = predicted[learner] if weighs else None
            self._teach(learner, samples, [predicted[name] for name in teachers], own)

    def _teach(self, learner: str, samples: Sequence[Any], taught: Sequence[Tensor], own: Tensor | None) -> None:
        """Give samples the labels of the mean of probabilities, (classes, labels), weighed by the learner's own."""
        mean = taught[0] if len(taught) == 1 else torch.stack(list(taught)).mean(dim=0)
        confidence, label = mean.max(dim=0)
        loss = self.losses[learner]
        ignored = loss.ignore_index
        wanted = self.kind.wanted(samples, ignored).to(label.device, non_blocking=True)
        label = label.where(wanted, ignored)
        if self.settings.label_ratio is not None:
            least = self._thresholds(learner, label, confidence)[label.where(wanted, 0)]
            label = label.where(confidence >= least, ignored)
        weights = None
        if own is not None:
            compared = compare_probability(own[None], label[None], confidence[None], ignored)
            compared, weights = loss.weigh_compared(compared)
            self.counts[learner] = loss.counts
            label, weights = compared.label_index[0].where(compared.valid[0], ignored), weights[0]
        self.kind.teach(samples, label, confidence, weights)

    def _thresholds(self, learner: str, label: Tensor, confidence: Tensor) -> Tensor:
        """Find the least confidence of each class, float32 (classes,), in what was seen lately by all processes."""
        assert self.settings.label_ratio is not None
        counts = count_levels(label, quantize_tensor(confidence), self.num_classes).double()
        all_reduce(counts)
        if learner in self.seen:
            counts += self.seen[learner].to(counts.device) * (1 - 1 / self.settings.window)
        if self.settings.window > 1:
            self.seen[learner] = counts
        return class_thresholds(counts, self.settings.label_ratio)


def _weak_view(sample: Any, image: Tensor) -> Tensor:
    """Take the labeler's view out of a sample; without one both see the same image."""
    if WEAK_VIEW not in sample:
        return image
    view = sample.pop(WEAK_VIEW)
    return view.data if isinstance(view, PixelData) else view

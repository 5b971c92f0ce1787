"""Judge rules without training: what pseudo labels would teach, beside what true labels would."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.model import BaseModel
from numpy.typing import NDArray
from torch import Tensor, nn

from mmdmt.apis.inference import check_segments
from mmdmt.datasets.mutual_dataset import MutualDataset
from mmdmt.evaluation_mode import evaluation_mode
from mmdmt.losses import DynamicMutualLoss
from mmdmt.method.draws import ONLINE, TRUTH, WEAK_VIEW, Draw
from mmdmt.method.weights import compare_probability
from mmdmt.models.mutual_training import DynamicMutualTraining


class Case(NamedTuple):
    """Labels and a rule that weighs them."""

    name: str
    labels: str = 'other'  # of the peer's labeler; 'self'; or 'ensemble', of the mean of all peers
    view: str = 'strong'  # on which the learner's prediction weighs, or 'weak'
    rule: str = 'mutual'  # of DynamicMutualLoss
    gamma: float = 0.0  # both of its exponents
    floor: float = 0.0  # the least confidence of a label


CASES = (
    Case('every label counts'),
    Case('every label of itself', 'self'),
    Case('every label of the ensemble', 'ensemble'),
    Case('times confidence', rule='confidence', gamma=1.0),
    Case('of the ensemble, times confidence', 'ensemble', rule='confidence', gamma=1.0),
    Case('where the two agree, weak view', view='weak', rule='agreement'),
    Case('rule on the weak view, gamma 1', view='weak', gamma=1.0),
    Case('rule on the strong view, gamma 1', gamma=1.0),
    Case('rule on the strong view, gamma 1, floor .7', gamma=1.0, floor=0.7),
    Case('rule on the strong view, gamma 3', gamma=3.0),
    Case('rule on the strong view, gamma 5', gamma=5.0),
    Case('floor .95', floor=0.95),
)
"""What tables of a diagnosis compare."""


@dataclass
class Finding:
    """What a case would teach one learner: of each class wrong and right labels, (2, classes), and gradients."""

    labels: NDArray[np.int64]
    kept: NDArray[np.int64]  # those of a weight above zero
    weight: NDArray[np.float64]  # the sum of their weights
    cosines: list[float] = field(default_factory=list)  # with the gradient of the true labels, batch by batch
    lengths: list[float] = field(default_factory=list)  # along it, as a share of its length

    def by_class(self) -> dict[str, NDArray[np.float64]]:
        """Return numbers of each class: which share of its labels is right, and weighs anything; the mean weights."""
        labels, weight = self.labels.sum(axis=0), self.weight.sum(axis=0)
        wrong, right = _ratio(self.weight, self.labels)
        return {
            'accuracy': _ratio(self.labels[1], labels),
            'kept': _ratio(self.kept.sum(axis=0), labels),
            'weight of right': right,
            'weight of wrong': wrong,
            'share of weight': _ratio(weight, weight.sum()),
        }

    def overall(self) -> dict[str, float]:
        """Return six numbers: of all labels together, and of the gradients the mean over batches."""
        sums = {key: getattr(self, key).sum(axis=1, keepdims=True) for key in ('labels', 'kept', 'weight')}
        whole = {key: float(value[0]) for key, value in replace(self, **sums).by_class().items()}
        del whole['share of weight']
        return whole | {'cosine': float(np.mean(self.cosines)), 'length': float(np.mean(self.lengths))}


def diagnose(
    model: DynamicMutualTraining,
    dataset: MutualDataset,
    images: int = 16,
    batch_size: int = 4,
    cases: Sequence[Case] = CASES,
) -> dict[str, dict[str, Finding]]:
    """Compare what rules would teach each peer with what true labels would; the model stays as it is.

    Training crops of unlabeled images are labeled on the weak view by the weights that the model holds. Gradients are
    those of the main head's cross entropy on the learner's view, unmixed and without dropout, with respect to all
    parameters of the learner. Pixels whose truth is not known count nowhere.

    Args:
        model: Of segmentors, with the weights of a checkpoint.
        dataset: Whose unlabeled images have masks.
        images: How many of them, spread evenly over the list. Defaults to 16.
        batch_size: How many have one gradient. Defaults to 4.
        cases: What is compared. Defaults to :data:`CASES`.

    Returns:
        Findings by learner and name of the case.

    Raises:
        ValueError: If the peers are classifiers, or an image has no mask.
        FileNotFoundError: If a mask does not exist.
    """
    check_segments(model, 'A diagnosis')
    dataset.check_truth()
    count = min(images, dataset.num_unlabeled())
    chosen = np.linspace(0, dataset.num_unlabeled() - 1, count).round().astype(int).tolist()
    shape = 2, model.num_classes
    found: dict[str, dict[str, Finding]] = {name: {} for name in model.peer_names}
    for of_cases in found.values():
        for case in cases:
            of_cases[case.name] = Finding(np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape))
    for start in range(0, count, batch_size):
        batch = chosen[start : start + batch_size]
        items = {bank: [dataset[Draw('', image, image, bank)] for image in batch] for bank in (ONLINE, TRUTH)}
        samples = [(item['inputs'], item['data_samples'].get(WEAK_VIEW)) for item in items[ONLINE]]
        weak = [inputs if view is None else view.data for inputs, view in samples]
        with torch.no_grad(), evaluation_mode(model.bare_peers.values()):
            predicted = {name: model.kind.predict_views(peer, weak) for name, peer in model.bare_peers.items()}
        for name, peer in model.bare_peers.items():
            _judge(model, name, peer, items[TRUTH], predicted, cases, found[name])
    return found


def _judge(
    model: DynamicMutualTraining,
    name: str,
    peer: BaseModel,
    items: Sequence[dict[str, Any]],
    predicted: Mapping[str, Tensor],
    cases: Sequence[Case],
    found: Mapping[str, Finding],
) -> None:
    """Add what cases would teach a learner in one batch."""
    learner = copy.deepcopy(peer).train()  # batch norms learn from every forward pass
    for module in learner.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd):
            module.eval()
    logits, truth = _forward(learner, items)
    parameters = [parameter for parameter in learner.parameters() if parameter.requires_grad]
    ignored = model.losses_of(name)[0].ignore_index
    known = truth != ignored
    strong = logits.detach().softmax(dim=0, dtype=torch.float32)

    def gradient(label: Tensor, weights: Tensor) -> Tensor:
        of_logits = (strong - nn.functional.one_hot(label.where(known, 0), len(strong)).T) * (weights * known)
        given = (of_logits / known.sum().clamp(min=1)).to(logits.dtype)
        parts = torch.autograd.grad(logits, parameters, given, retain_graph=True, allow_unused=True)
        return torch.cat([part.flatten().double() for part in parts if part is not None])

    true_gradient = gradient(truth, torch.ones_like(strong[0]))
    length = true_gradient.norm()
    for case in cases:
        sources = {'self': [name], 'other': [model.labelers[name]], 'ensemble': list(predicted)}[case.labels]
        confidence, label = torch.stack([predicted[one] for one in sources]).mean(dim=0).max(dim=0)
        label = label.where(known, ignored)
        loss = DynamicMutualLoss(case.gamma, case.gamma, rule=case.rule, min_confidence=case.floor)
        seen = strong if case.view == 'strong' else predicted[name]
        compared = compare_probability(seen[None], label[None], confidence[None], ignored)
        compared, weights = loss.weigh_compared(compared)
        label, weights = compared.label_index[0], weights[0]
        taught, finding = gradient(label, weights), found[case.name]
        along = float(taught @ true_gradient) / max(float(length), 1e-30)
        finding.cosines.append(along / max(float(taught.norm()), 1e-30))
        finding.lengths.append(along / max(float(length), 1e-30))
        for right, where in enumerate((known & (label != truth), known & (label == truth))):
            classes, of_them = label[where].cpu().numpy(), weights[where].double().cpu().numpy()
            for counts, values in ((finding.labels, None), (finding.kept, of_them > 0), (finding.weight, of_them)):
                counts[right] += np.bincount(classes, values, counts.shape[1]).astype(counts.dtype)


def _forward(learner: Any, items: Sequence[dict[str, Any]]) -> tuple[Tensor, Tensor]:
    """Forward the learner's views; return logits, (classes, pixels), and true labels, (pixels,), without padding."""
    sizes = [item['inputs'].shape[1:] for item in items]
    data = {'inputs': [item['inputs'] for item in items], 'data_samples': [item['data_samples'] for item in items]}
    batch = learner.data_preprocessor(data, True)
    shape = tuple(batch['inputs'].shape[2:])
    metas = [{**sample.metainfo, 'img_shape': shape, 'pad_shape': shape} for sample in batch['data_samples']]
    logits = learner.encode_decode(batch['inputs'], metas)
    labels = [sample.gt_sem_seg.data[0] for sample in batch['data_samples']]
    rows = [one[:, :height, :width].flatten(1) for one, (height, width) in zip(logits, sizes, strict=True)]
    truth = [one[:height, :width].flatten() for one, (height, width) in zip(labels, sizes, strict=True)]
    return torch.cat(rows, dim=1), torch.cat(truth).long()


def _ratio(part: NDArray[Any], whole: Any) -> NDArray[np.float64]:
    whole = np.broadcast_to(whole, part.shape)
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)

"""Weigh pseudo labels by the rule of Dynamic Mutual Training and by others, in pure functions of tensors.

Two models that teach each other make different mistakes, so a label with which the learner disagrees is likely to be
wrong (Feng et al., "DMT: Dynamic Mutual Training for Semi-Supervised Learning", Pattern Recognition 130 (2022) 108777,
arXiv 2004.08514). With the learner's probabilities ``p``, its prediction ``y' = argmax p`` held with confidence
``c' = max p``, and the labeler's label ``y`` held with confidence ``c``::

    y' == y              the two agree:             w = p[y] ** gamma_agree
    y' != y, c' <= c     the labeler is as sure:   w = p[y] ** gamma_disagree
    y' != y, c' >  c     the learner wins:          w = 0

Ground truth is a label of infinite confidence: the learner never wins against it, and its weight is 1. A rule returns
float32 weights in the shape of the label: 1 for ground truth, 0 where the label is ignored. To add a rule, write its
function and enter it in :data:`RULES`.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

GROUND_TRUTH = float('inf')
"""The confidence of a true label."""
ORACLE = 2.0
"""The confidence of a true label in the place of a pseudo label: no rule doubts it, so its weight is 1."""


class Comparison(NamedTuple):
    """Prediction of a learner beside its labels; every field but ``probability`` has the shape of the label."""

    probability: Tensor
    """float32 (N, C, ...); ``p``, the learner's softmax."""
    label_index: Tensor
    """int64; the label, or class 0 where it is ignored."""
    valid: Tensor
    """bool; the label counts."""
    pseudo: Tensor
    """bool; it counts, and is neither ground truth nor an oracle's: the rule weighs it."""
    label_probability: Tensor
    """float32; ``p[y]``, the learner's probability of ``label_index``."""
    confidence: Tensor
    """float32; ``c'``, the learner's."""
    taught_with: Tensor
    """float32; ``c``, the labeler's, ``inf`` for ground truth."""
    prediction: Tensor
    """int64; ``y'``."""
    disagree: Tensor
    """bool; a pseudo label other than the learner's prediction."""
    learner_wins: Tensor
    """bool; they disagree, and the learner is surer than the labeler. A tie goes to the labeler."""


@torch.no_grad()
def compare(logits: Tensor, label: Tensor, confidence: Tensor, ignore_index: int = 255) -> Comparison:
    """Compare a learner's prediction with the labels it is taught, without gradient.

    The softmax is float32, whatever the logits are: in float16 most confidences would be exactly 1 and tie.

    Args:
        logits (Tensor): (N, C, ...) of any floating dtype.
        label (Tensor): (N, ...) integer labels.
        confidence (Tensor): (N, ...) float32 confidence of the labeler, ``inf`` for ground truth.
        ignore_index (int): The label that does not count. Defaults to 255.

    Example:
        >>> logits = torch.tensor([[2.0, 0.0], [0.0, 2.0], [0.0, 2.0]])
        >>> compared = compare(logits, torch.tensor([0, 0, 0]), torch.tensor([0.7, 0.9, 0.8]))
        >>> compared.disagree.tolist(), compared.learner_wins.tolist()
        ([False, True, True], [False, False, True])
        >>> [round(weight, 3) for weight in mutual_weights(compared, 5.0, 1.0).tolist()]
        [0.53, 0.119, 0.0]
    """
    # With its dtype, because on a GPU one kernel then does both, and no float32 copy of half logits is made.
    return compare_probability(logits.detach().softmax(dim=1, dtype=torch.float32), label, confidence, ignore_index)


@torch.no_grad()
def compare_probability(probability: Tensor, label: Tensor, confidence: Tensor, ignore_index: int = 255) -> Comparison:
    """Do what :func:`compare` does, for the softmax of the logits, float32 (N, C, ...)."""
    learner_confidence, prediction = probability.max(dim=1)
    valid = label != ignore_index
    index = label.where(valid, 0)
    pseudo = valid & (confidence < ORACLE)
    disagree = pseudo & (prediction != label)
    return Comparison(
        probability,
        index,
        valid,
        pseudo,
        label_probability=probability.gather(1, index.unsqueeze(1)).squeeze(1),
        confidence=learner_confidence,
        taught_with=confidence,
        prediction=prediction,
        disagree=disagree,
        learner_wins=disagree & (learner_confidence > confidence),
    )


def mutual_weights(compared: Comparison, gamma_agree: float, gamma_disagree: float) -> Tensor:
    """Weigh compared labels by the paper's rule; both exponents zero switch all of it off, the paper's ablation."""
    if gamma_agree == 0 and gamma_disagree == 0:
        return compared.valid.float()
    weights = compared.label_probability.pow(gamma_agree)
    if gamma_disagree != gamma_agree:
        weights = torch.where(compared.disagree, compared.label_probability.pow(gamma_disagree), weights)
    # In place: what is made here stands beside the softmax, at the loss's peak of memory.
    return weights.masked_fill_(compared.learner_wins, 0).masked_fill_(~compared.pseudo, 1).mul_(compared.valid)


def flip_labels(compared: Comparison, gamma_agree: float, gamma_disagree: float) -> tuple[Comparison, Tensor]:
    """Replace labels that lose by the learner's prediction, with weight ``(1 - c) ** gamma_disagree``; return both."""
    weights = mutual_weights(compared, gamma_agree, gamma_disagree)
    if gamma_agree == 0 and gamma_disagree == 0:
        return compared, weights
    wins = compared.learner_wins
    doubt = (1 - compared.taught_with.where(wins, 0)).pow(gamma_disagree)
    flipped = compared._replace(
        label_index=torch.where(wins, compared.prediction, compared.label_index),
        label_probability=torch.where(wins, compared.confidence, compared.label_probability),
    )
    return flipped, torch.where(wins, doubt, weights)


def share_weights(compared: Comparison, threshold: float) -> Tensor:
    """Weigh all pseudo labels of a batch by the share of them with a confidence of ``threshold`` or more.

    Hoyer et al., "DAFormer", CVPR 2022, arXiv 2111.14887, after Tranheden et al., "DACS", arXiv 2007.08702.
    """
    sure = (compared.pseudo & (compared.taught_with >= threshold)).sum()
    return _of_pseudo(compared, sure / compared.pseudo.sum().clamp(min=1))


def _of_pseudo(compared: Comparison, weights: Tensor) -> Tensor:
    return torch.where(compared.pseudo, weights, compared.valid.float())


class RuleSettings(NamedTuple):
    """Exponents where learner and labeler agree and where not, as far as they have grown, and a threshold."""

    agree: float
    disagree: float
    share_threshold: float


RULES: dict[str, Callable[[Comparison, RuleSettings], tuple[Comparison, Tensor]]] = {
    'mutual': lambda compared, of: (compared, mutual_weights(compared, of.agree, of.disagree)),
    'naive': lambda compared, of: (compared, _of_pseudo(compared, compared.label_probability.pow(of.agree))),
    'flip': lambda compared, of: flip_labels(compared, of.agree, of.disagree),
    'share': lambda compared, of: (compared, share_weights(compared, of.share_threshold)),
    'agreement': lambda compared, _: (compared, (compared.valid & ~compared.disagree).float()),
    'confidence': lambda compared, of: (compared, _of_pseudo(compared, compared.taught_with.pow(of.agree))),
}
"""The rules by name. Each takes compared labels, and returns the labels to learn and their weights.

``'mutual'`` is the paper's; ``'naive'``, ``p[y] ** gamma_agree`` everywhere, and ``'flip'`` are its ablations;
``'share'`` is DAFormer's; ``'agreement'`` weighs 1 where the two agree and 0 where not; ``'confidence'`` is the
labeler's, ``c ** gamma_agree``.
"""


def ramp_up(gamma: float, progress: float, steepness: float) -> float:
    """Grow an exponent during a phase: ``gamma * exp(-steepness * (1 - progress) ** 2)``.

    A learner that starts from scratch agrees with nothing at first; while its exponent is small it learns all the same.
    """
    return gamma * math.exp(-steepness * (1 - progress) ** 2)


def below_floor(compared: Comparison, min_confidence: float) -> Tensor:
    """Return where pseudo labels are held with less confidence than a floor in [0, 1]: bool like the label."""
    return compared.pseudo & (compared.taught_with < min_confidence)

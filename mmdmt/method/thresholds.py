"""Choose the most confident labels: of each class by a threshold, or whole images by their number.

Keeping the most confident share of the pixels of each *predicted* class, instead of a share of all pixels, keeps the
rare and hard classes among the pseudo labels. Zou et al., "Unsupervised Domain Adaptation for Semantic Segmentation via
Class-Balanced Self-Training", ECCV 2018, https://arxiv.org/abs/1810.07911.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmdmt.method.confidence_levels import LOWER_EDGES, NUM_LEVELS


def _check_ratio(ratio: float, what: str) -> None:
    if not 0 < ratio <= 1:
        raise ValueError(f'the ratio of {what} to keep is {ratio}, but it lies in (0, 1]: 0.2 keeps a fifth.')


def count_levels(label: Tensor, level: Tensor, num_classes: int) -> Tensor:
    """Count how often each class was predicted with each confidence, on the device and without waiting for it.

    Args:
        label (Tensor): Integers of any shape; what is outside of [0, num_classes) does not count.
        level (Tensor): Like it, of :func:`~mmdmt.method.confidence_levels.quantize_tensor`; that of NaN counts as 0.
        num_classes (int): How many classes there are.

    Returns:
        Tensor: int64 (num_classes, NUM_LEVELS). Those of several images or processes are added up.

    Example:
        >>> from mmdmt.method.confidence_levels import quantize_tensor
        >>> level = quantize_tensor(torch.tensor([0.9, 0.8, 0.7, 0.6, 0.55, 0.5]))
        >>> counts = count_levels(torch.tensor([0, 0, 0, 0, 1, 1]), level, num_classes=2)
        >>> thresholds = class_thresholds(counts, ratio=0.25)
        >>> [round(threshold, 2) for threshold in thresholds.tolist()], count_kept(counts, thresholds).tolist()
        ([0.8, 0.5], [2, 2])
    """
    inside = (label >= 0) & (label < num_classes)
    index = (label.long() * NUM_LEVELS + level.clamp(min=0)).where(inside, num_classes * NUM_LEVELS).flatten()
    counts = torch.zeros(num_classes * NUM_LEVELS + 1, dtype=torch.int64, device=label.device)
    counts.scatter_add_(0, index, torch.ones((), dtype=torch.int64, device=label.device).expand(len(index)))
    return counts[:-1].view(num_classes, NUM_LEVELS)


def class_thresholds(counts: Tensor, ratio: float) -> Tensor:
    """Find, for each class, the confidence that the most confident share of its pixels reaches.

    Of n pixels, the threshold is the confidence of the (int(n * ratio) + 1)-th most confident one, rounded down to the
    lower edge of its level, so that all the pixels of this level are kept, as ties are. Where int(n * ratio) is zero or
    n, all are kept. A class that was never predicted gets infinity, which keeps nothing.

    Args:
        counts (Tensor): Of :func:`count_levels`, or float64 where they fade.
        ratio (float): The share to keep, in (0, 1].

    Returns:
        Tensor: float32 (num_classes,), to be used as ``confidence >= thresholds[label]``. They keep the same pixels
        whether or not the confidences have been through the codec.

    Raises:
        ValueError: If the ratio is outside of (0, 1].
    """
    _check_ratio(ratio, 'pixels')
    most_confident_first = counts.double().flip(1).cumsum(dim=1)
    totals = most_confident_first[:, -1]
    share = (totals * ratio).floor()
    rank = torch.where(share < 1, totals, torch.minimum(share + 1, totals))
    levels = NUM_LEVELS - 1 - (most_confident_first < rank[:, None]).sum(dim=1)
    return _edges(counts)[levels].masked_fill(totals == 0, torch.inf)


def count_kept(counts: Tensor, thresholds: Tensor) -> Tensor:
    """Count the pixels of each class at or above its threshold of :func:`class_thresholds`, int64 (num_classes,)."""
    kept = _edges(counts) >= thresholds[:, None]
    return counts.mul(kept).sum(dim=1)


def _edges(counts: Tensor) -> Tensor:
    return torch.from_numpy(LOWER_EDGES.copy()).to(counts.device, non_blocking=True)


def most_confident(scores: NDArray[np.float32], label_ratio: float) -> NDArray[np.int64]:
    """Select the share of images that a labeler is surest of, by its softmax, float32 (images, classes).

    Returns:
        Their numbers, int64, ascending: of n images exactly ``int(n * label_ratio)``, at least one; of equal
        confidences the first ones.

    Raises:
        ValueError: If the ratio is outside of (0, 1].
    """
    _check_ratio(label_ratio, 'images')
    order = np.argsort(-scores.max(axis=1), kind='stable')
    return np.sort(order[: max(1, int(len(scores) * label_ratio))])

"""Select the most confident images of all, and the most confident pixels of a batch."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def most_confident(scores: NDArray[np.float32], label_ratio: float, class_balanced: bool = False) -> NDArray[np.int64]:
    """Select the share of images that a labeler is surest of.

    Of n images exactly ``int(n * label_ratio)`` are selected, at least one; of equal confidences the first ones.

    Args:
        scores: float32 (images, classes), the labeler's softmax.
        label_ratio: The share to keep, in (0, 1].
        class_balanced: Keep the share of each *predicted* class, which keeps the rare ones among the pseudo labels,
            instead of the share of all images. Default: False, as in the paper.

    Returns:
        Numbers of the selected images, int64, ascending.

    Raises:
        ValueError: If the ratio is not in (0, 1].

    Example:
        >>> scores = np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.45, 0.55]], np.float32)
        >>> most_confident(scores, 0.5).tolist()
        [0, 2]
        >>> most_confident(scores, 0.5, class_balanced=True).tolist()
        [0, 3]
    """
    if not 0 < label_ratio <= 1:
        raise ValueError(f'the ratio of images to keep is {label_ratio}, but it lies in (0, 1]: 0.2 keeps a fifth.')
    confidence, prediction = scores.max(axis=1), scores.argmax(axis=1)
    everything = np.arange(len(scores))
    groups = [everything[prediction == one] for one in np.unique(prediction)] if class_balanced else [everything]
    selected = [_surest(group, confidence, label_ratio) for group in groups]
    return np.sort(np.concatenate(selected))


def _surest(images: NDArray[np.int64], confidence: NDArray[np.float32], share: float) -> NDArray[np.int64]:
    order = np.argsort(-confidence[images], kind='stable')
    return images[order[: max(1, int(len(images) * share))]]


def surest_of_each_class(label: Tensor, confidence: Tensor, label_ratio: float) -> Tensor:
    """Mark the share of each label that is surest.

    Of the n entries of a label, those are marked that are as sure as the (int(n * label_ratio) + 1)-th surest, so ties
    are, too; all, where int(n * label_ratio) is 0 or n. This is the rule of
    :meth:`mmdmt.method.thresholds.ConfidenceHistogram.thresholds`, of a batch in place of all images.

    Args:
        label (Tensor): int64 of any shape.
        confidence (Tensor): float32 of the same shape.
        label_ratio (float): The share to keep, in (0, 1].

    Returns:
        Tensor: bool of the same shape.

    Example:
        >>> confidence = torch.tensor([0.9, 0.8, 0.7, 0.6, 0.55, 0.5])
        >>> surest_of_each_class(torch.tensor([0, 0, 0, 0, 1, 1]), confidence, 0.25).tolist()
        [True, True, False, False, True, True]
    """
    flat, sure = label.flatten(), confidence.flatten()
    order = sure.argsort(descending=True)
    order = order[flat[order].argsort(stable=True)]  # by label, and of each the surest first
    flat, sure = flat[order], sure[order]
    start, end = torch.searchsorted(flat, flat), torch.searchsorted(flat, flat, right=True)
    share = ((end - start).double() * label_ratio).long()
    last = torch.where(share < 1, end - 1, torch.minimum(start + share, end - 1))
    kept = torch.empty_like(flat, dtype=torch.bool)
    kept[order] = sure >= sure[last]
    return kept.view_as(label)

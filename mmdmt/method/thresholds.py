"""Choose the most confident labels: of each class by a threshold, or whole images by their number."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmdmt.method.confidence_levels import LOWER_EDGES, NUM_LEVELS, quantize, quantize_tensor


def _check_ratio(ratio: float, what: str) -> None:
    if not 0 < ratio <= 1:
        raise ValueError(f'the ratio of {what} to keep is {ratio}, but it lies in (0, 1]: 0.2 keeps a fifth.')


class ConfidenceHistogram:
    """Counts of how often each class was predicted with each confidence, over the whole unlabeled set.

    Keeping the most confident share of the pixels of each *predicted* class, instead of a share of all pixels, keeps
    the rare and hard classes among the pseudo labels. Zou et al., "Unsupervised Domain Adaptation for Semantic
    Segmentation via Class-Balanced Self-Training", ECCV 2018, https://arxiv.org/abs/1810.07911.

    Args:
        num_classes: Number of classes.
        ignore_index: The label of pixels that are not counted. Default: 255.

    Attributes:
        counts: int64 (num_classes, NUM_LEVELS), C-contiguous. That of several processes is the sum of theirs.

    Raises:
        ValueError: If there are no classes, or ``ignore_index`` is one of them.

    Example:
        >>> histogram = ConfidenceHistogram(num_classes=2)
        >>> confidence = np.array([0.9, 0.8, 0.7, 0.6, 0.55, 0.5], np.float32)
        >>> histogram.update(np.array([0, 0, 0, 0, 1, 1]), confidence)
        >>> thresholds = histogram.thresholds(ratio=0.25)
        >>> thresholds.astype(float).round(2).tolist(), histogram.kept(thresholds).tolist()
        ([0.8, 0.5], [2, 2])
    """

    def __init__(self, num_classes: int, ignore_index: int = 255) -> None:
        if num_classes < 1:
            raise ValueError(f'num_classes is {num_classes}, but a histogram needs at least one class.')
        if 0 <= ignore_index < num_classes:
            raise ValueError(
                f'ignore_index is {ignore_index}, which is one of the {num_classes} classes: '
                'the pixels of that class would never be counted. Choose a value above the classes.'
            )
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        self.counts: NDArray[np.int64] = np.zeros((num_classes, NUM_LEVELS), np.int64)

    @property
    def totals(self) -> NDArray[np.int64]:
        """Pixels of each class, int64 (num_classes,)."""
        return self.counts.sum(axis=1)

    def update(self, label: NDArray[np.integer], confidence: NDArray[np.float32]) -> None:
        """Count pixels: classes of any shape, and their max softmax probabilities, float32 of the same shape.

        Raises:
            ValueError: If a dtype, shape or value is another; nothing has been counted then.
        """
        if not np.issubdtype(label.dtype, np.integer):
            raise ValueError(f'labels are {label.dtype}, but classes are integers.')
        if label.shape != confidence.shape:
            raise ValueError(f'the labels have shape {label.shape}, but their confidences {confidence.shape}.')
        counted = label != self.ignore_index
        classes, levels = label[counted].astype(np.int64), quantize(confidence[counted])
        foreign = classes[(classes < 0) | (classes >= self.num_classes)]
        if foreign.size:
            raise ValueError(
                f'a label is {foreign[0]}, but there are {self.num_classes} classes: labels are 0 to '
                f'{self.num_classes - 1}, or {self.ignore_index} to be ignored. '
                'Set num_classes to what the labeling network predicts.'
            )
        # One flat index is several times as fast as a pair of them, and nothing of the table's size is allocated.
        np.add.at(self.counts.reshape(-1), classes * NUM_LEVELS + levels, 1)

    def thresholds(self, ratio: float) -> NDArray[np.float32]:
        """Find, for each class, the confidence that the most confident share of its pixels reaches.

        Of n pixels, the threshold is the confidence of the (int(n * ratio) + 1)-th most confident one, rounded down to
        the lower edge of its level, so that all the pixels of this level are kept, as ties are. Where int(n * ratio)
        is zero or n, all are kept. A class that was never predicted gets infinity, which keeps nothing.

        Returns:
            float32 (num_classes,), to be used as ``confidence >= thresholds[label]``. They keep the same pixels whether
            or not the confidences have been through the codec.

        Raises:
            ValueError: If the ratio, the share to keep, is outside of (0, 1].
        """
        _check_ratio(ratio, 'pixels')
        return class_thresholds(torch.from_numpy(self.counts).double(), ratio).numpy()

    def kept(self, thresholds: NDArray[np.floating]) -> NDArray[np.int64]:
        """Count the pixels of each class at or above its threshold, int64 (num_classes,).

        The count is exact for what `thresholds` returns; of a threshold within a level, that level is left out.

        Raises:
            ValueError: If there are more or fewer thresholds than classes.
        """
        if thresholds.shape != (self.num_classes,):
            raise ValueError(
                f'the thresholds have shape {thresholds.shape}, but there are {self.num_classes} classes '
                'with one threshold each.'
            )
        first_level = np.searchsorted(LOWER_EDGES, thresholds)
        return self.counts.sum(axis=1, where=np.arange(NUM_LEVELS) >= first_level[:, None])


def count_confidences(label: Tensor, confidence: Tensor, num_classes: int) -> Tensor:
    """Count how often each class was predicted with each confidence, on the device and without waiting for it.

    Labels are int64 of any shape, confidences float32; what is outside of [0, num_classes) does not count. The result
    is float64 (num_classes, NUM_LEVELS).
    """
    inside = (label >= 0) & (label < num_classes)
    level = quantize_tensor(confidence).clamp(min=0)  # -1 where it is NaN
    index = (label * NUM_LEVELS + level).where(inside, num_classes * NUM_LEVELS).flatten()
    counts = torch.zeros(num_classes * NUM_LEVELS + 1, dtype=torch.float64, device=label.device)
    counts.scatter_add_(0, index, torch.ones_like(index, dtype=torch.float64))
    return counts[:-1].view(num_classes, NUM_LEVELS)


def class_thresholds(counts: Tensor, ratio: float) -> Tensor:
    """Find float32 (classes,) as :meth:`ConfidenceHistogram.thresholds` does, for counts that may fade."""
    most_confident_first = counts.flip(1).cumsum(dim=1)
    totals = most_confident_first[:, -1]
    share = (totals * ratio).floor()
    rank = torch.where(share < 1, totals, torch.minimum(share + 1, totals))
    levels = NUM_LEVELS - 1 - (most_confident_first < rank[:, None]).sum(dim=1)
    edges = torch.from_numpy(LOWER_EDGES.copy()).to(counts.device, non_blocking=True)
    return edges[levels].masked_fill(totals == 0, torch.inf)


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

"""Rank images by what peers predict for them: how far they disagree, and how much of it is likely to be wrong."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

CELLS = 4
"""Rows and columns of the grid over which the confidences of an image are pooled."""
_POOLED_SIDE = 64  # about as many pixels of the shorter side are pooled, evenly spread
POOL = 5
"""How many times as many images as are taken are compared, those of the highest scores."""


@dataclass(frozen=True)
class Comparison:
    """How the predictions of peers for an image differ; with more than two peers, a mean over the pairs.

    Args:
        disagreement: Share of the pixels to which two peers give different classes.
        doubt: Mean over the pixels of 1 - their mean confidence, of which half counts where they disagree.
        by_class: float64 (classes,); 1 - the IoU of what they give to each class, NaN where none predicts it.
        pooled: float16 (CELLS * CELLS * classes,); the confidence given to each class in each cell.
    """

    disagreement: float
    doubt: float
    by_class: NDArray[np.float64]
    pooled: NDArray[np.float16]


def compare(labels: NDArray[np.integer], confidence: NDArray[np.floating], classes: int) -> Comparison:
    """Compare the labels that peers give to an image.

    Args:
        labels: (peers, H, W); the label of a whole image is a map of one pixel.
        confidence: (peers, H, W); the probability of each label.
        classes: How many there are.

    Raises:
        ValueError: If there are fewer than two peers, or no pixel.
    """
    peers, pixels = len(labels), labels[0].size
    if peers < 2 or not pixels:
        raise ValueError(f'Labels of shape {labels.shape}: two peers or more have to label one pixel or more.')
    both, surely = np.zeros((classes, classes), np.int64), 0.0
    pairs = list(combinations(range(peers), 2))
    for one, other in pairs:
        key = labels[one].astype(np.int64).ravel() * classes + labels[other].ravel()
        both += np.bincount(key, minlength=classes**2).reshape(classes, classes)
        sure = confidence[one] + confidence[other]
        surely += float(sure.sum() + sure.sum(where=labels[one] == labels[other])) / 4
    same = both.diagonal()
    with np.errstate(invalid='ignore'):
        by_class = 1 - same / (both.sum(0) + both.sum(1) - same)
    number = pixels * len(pairs)
    return Comparison(
        float(1 - same.sum() / number), 1 - surely / number, by_class, _pooled(labels, confidence, classes)
    )


def _pooled(labels: NDArray[np.integer], confidence: NDArray[np.floating], classes: int) -> NDArray[np.float16]:
    step = max(1, min(labels.shape[1:]) // _POOLED_SIDE)
    labels, confidence = labels[:, ::step, ::step], confidence[:, ::step, ::step]
    rows, columns = (np.arange(side) * CELLS // side for side in labels.shape[1:])
    cells = rows[:, None] * CELLS + columns
    sizes = np.bincount(cells.ravel(), minlength=CELLS**2)
    keys = cells * classes + labels.astype(np.int64)
    sums = np.bincount(keys.ravel(), confidence.ravel(), CELLS**2 * classes).reshape(CELLS**2, classes)
    return (sums / np.maximum(sizes, 1)[:, None] / len(labels)).astype(np.float16).ravel()


@dataclass(frozen=True)
class ErrorRates:
    """Shares that the ensemble gets wrong of the pixels on which peers agree, and on which they disagree."""

    agree: float
    disagree: float

    def expected(self, disagreement: float) -> float:
        """Return the share of an image that is likely to be wrong, where peers disagree on this share of its pixels."""
        return self.agree * (1 - disagreement) + self.disagree * disagreement


def count_errors(
    labels: NDArray[np.integer], predicted: NDArray[np.integer], truth: NDArray[np.integer], classes: int
) -> NDArray[np.int64]:
    """Count errors where peers agree and where they disagree, over the pairs of peers.

    Args:
        labels: (peers, H, W), of each peer.
        predicted: (H, W), of the ensemble.
        truth: (H, W); what is outside of [0, classes) does not count.
        classes: How many there are.

    Returns:
        int64 (2, 2): pixels on which peers agree and how many of them are wrong; the same where they disagree.
    """
    known = (truth >= 0) & (truth < classes)
    wrong = known & (predicted != truth)
    counts = np.zeros((2, 2), np.int64)
    for one, other in combinations(labels, 2):
        same = one == other
        counts += [[(part & known).sum(), (part & wrong).sum()] for part in (same, ~same)]
    return counts


def spread(scores: NDArray[np.floating], pooled: NDArray[np.floating], take: int) -> list[int]:
    """Choose images of high scores that differ from each other, the one of the highest score first.

    Each next one is that of the ``POOL * take`` highest scores that is farthest, in ``pooled`` (images, anything), from
    all that are chosen. Sener and Savarese, "Active Learning for Convolutional Neural Networks: A Core-Set Approach",
    ICLR 2018, https://arxiv.org/abs/1708.00489.
    """
    pool = np.argsort(-scores, kind='stable')[: POOL * take]
    places = pooled[pool].astype(np.float32)
    distance, chosen = np.full(len(pool), np.inf, np.float32), []
    for _ in range(min(take, len(pool))):
        farthest = int(distance.argmax())
        chosen.append(int(pool[farthest]))
        distance = np.minimum(distance, ((places - places[farthest]) ** 2).sum(axis=1))
        distance[farthest] = -1
    return chosen

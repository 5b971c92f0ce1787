"""Find where two peers contradict a mask alike, which is where the mask is likely to be wrong."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

LEAST = 1000  # regions of less than one part in so many of the image are borders and noise


class Region(NamedTuple):
    """Connected pixels of one class in the mask to which all peers give another.

    Attributes:
        score: Sum over the pixels of how much more probable the peers' class is than that of the mask.
        masked: Class in the mask.
        predicted: Class of the peers.
        pixels: How many.
        box: Left, top, width and height, in pixels.
    """

    score: float
    masked: int
    predicted: int
    pixels: int
    box: tuple[int, int, int, int]


def contradiction(mask: NDArray[np.integer], labels: NDArray[np.integer], probability: NDArray[np.floating]) -> float:
    """Measure how far a mask is contradicted, in [0, 1]: 1 - the mean soft Dice coefficient between mask and ensemble.

    The mean goes over the classes that the mask has, or that all peers give to one and the same pixel, so that a small
    object that is missing or superfluous counts as much as the background.

    Args:
        mask: (H, W); what is outside of [0, classes) does not count.
        labels: (peers, H, W).
        probability: (classes, H, W), the mean softmax of the peers.
    """
    classes = len(probability)
    known = (mask >= 0) & (mask < classes)
    alike = known & (labels == labels[0]).all(axis=0)
    size = np.bincount(mask[known], minlength=classes)
    seen = (size > 0) | (np.bincount(labels[0][alike], minlength=classes) > 0)
    predicted = (probability * known).sum(axis=(1, 2), dtype=np.float64)
    own = np.take_along_axis(probability, np.where(known, mask, 0)[None].astype(np.int64), axis=0)[0]
    shared = np.bincount(mask[known], own[known], minlength=classes)
    dice = 2 * shared[seen] / (size + predicted)[seen]
    return float(1 - dice.mean()) if seen.any() else 0.0


def regions(mask: NDArray[np.integer], labels: NDArray[np.integer], probability: NDArray[np.floating]) -> list[Region]:
    """Find the connected regions in which all peers give the same class, and the mask has another.

    Arguments as of :func:`contradiction`; regions of a thousandth of the image or more, the highest score first.
    """
    classes = len(probability)
    against = (mask >= 0) & (mask < classes) & (labels == labels[0]).all(axis=0) & (labels[0] != mask)
    kinds = np.where(against, mask.astype(np.int64) * classes + labels[0], -1)
    found = []
    for kind in np.unique(kinds[against]):
        masked, predicted = divmod(int(kind), classes)
        gap = probability[predicted] - probability[masked]
        _, parts, stats, _ = cv2.connectedComponentsWithStats((kinds == kind).astype(np.uint8), connectivity=8)
        scores = np.bincount(parts.ravel(), gap.ravel())
        for part, (*box, pixels) in enumerate(stats.tolist()):
            if part and pixels * LEAST >= mask.size:
                left, top, width, height = box
                found.append(Region(float(scores[part]), masked, predicted, pixels, (left, top, width, height)))
    return sorted(found, key=lambda region: -region.score)

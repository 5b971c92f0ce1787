"""Select the most confident images of all."""

import numpy as np
from numpy.typing import NDArray


def most_confident(scores: NDArray[np.float32], label_ratio: float) -> NDArray[np.int64]:
    """Select the share of images that a labeler is surest of.

    Of n images exactly ``int(n * label_ratio)`` are selected, at least one; of equal confidences the first ones.

    Args:
        scores: float32 (images, classes), the labeler's softmax.
        label_ratio: The share to keep, in (0, 1].

    Returns:
        Numbers of the selected images, int64, ascending.

    Raises:
        ValueError: If the ratio is not in (0, 1].

    Example:
        >>> scores = np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.45, 0.55]], np.float32)
        >>> most_confident(scores, 0.5).tolist()
        [0, 2]
    """
    if not 0 < label_ratio <= 1:
        raise ValueError(f'the ratio of images to keep is {label_ratio}, but it lies in (0, 1]: 0.2 keeps a fifth.')
    order = np.argsort(-scores.max(axis=1), kind='stable')
    return np.sort(order[: max(1, int(len(scores) * label_ratio))])

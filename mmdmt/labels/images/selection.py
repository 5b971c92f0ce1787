"""Select the pseudo-labeled images that a phase learns from."""

import numpy as np
from numpy.typing import NDArray

from mmdmt.method.selection import most_confident
from mmdmt.registry import SELECTIONS


@SELECTIONS.register_module()
class MostConfidentImages:
    """Keep the images that a labeler is surest of.

    Another policy is a registered class with this one method, named by ``labeling=dict(selection=dict(type=...))`` of
    :class:`mmdmt.DMTHook`.

    Args:
        class_balanced (bool): Keep the share of each predicted class, which keeps the rare ones, instead of the share
            of all images. Defaults to False, as in the paper.
    """

    def __init__(self, class_balanced: bool = False) -> None:
        self.class_balanced = class_balanced

    def images(self, scores: NDArray[np.float32], label_ratio: float) -> NDArray[np.int64]:
        """Find the images to keep.

        Args:
            scores (np.ndarray): float32 (images, classes), the labeler's softmax.
            label_ratio (float): The phase's, in (0, 1].

        Returns:
            np.ndarray: Their numbers, int64, ascending.
        """
        return most_confident(scores, label_ratio, self.class_balanced)

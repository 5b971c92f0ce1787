"""Select the pseudo-labeled pixels that a phase learns from."""

import numpy as np
from numpy.typing import NDArray

from mmdmt.method.thresholds import ConfidenceHistogram
from mmdmt.registry import SELECTIONS


@SELECTIONS.register_module()
class ClassBalancedPixels:
    """Keep the most confident share of the pixels of each predicted class, as the paper does.

    Another policy is a registered class with this one method, named by ``labeling=dict(selection=dict(type=...))`` of
    :class:`mmdmt.DMTHook`.
    """

    def thresholds(self, histogram: ConfidenceHistogram, label_ratio: float) -> NDArray[np.float32]:
        """Find the least confidence that is kept of each class.

        Args:
            histogram (ConfidenceHistogram): Of all unlabeled images and all processes.
            label_ratio (float): The phase's, in (0, 1].

        Returns:
            np.ndarray: float32 (classes,); ``inf`` keeps nothing of a class.
        """
        return histogram.thresholds(label_ratio)

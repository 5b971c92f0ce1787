"""ClassMix of labeled images onto pseudo-labeled ones."""

from collections.abc import Sequence

import numpy as np

from mmdmt.method.mixing import Batch, paste_classes
from mmdmt.registry import MODELS
from mmdmt.settings import Number, check_settings


@MODELS.register_module()
class ClassMix:
    """Paste half of the classes of a labeled image of the same peer's batch onto a pseudo-labeled one.

    What is pasted keeps its ground truth, with infinite confidence, and so its full weight. Olsson et al., "ClassMix",
    WACV 2021, arXiv 2007.07936; onto images of another domain as in DACS, arXiv 2007.08702.

    Args:
        prob (float): Probability with which an image is pasted on. Defaults to 1.

    Raises:
        ValueError: If it is outside of [0, 1].
    """

    spaces = ('pixels',)
    needs_pseudo, needs_labeled = 1, 1
    SETTINGS = {'prob': Number(0, 1)}

    def __init__(self, prob: float = 1.0) -> None:
        check_settings(self, locals())
        self.prob = prob

    def __call__(self, batch: Batch, pseudo: Sequence[int], labeled: Sequence[int], num_classes: int) -> Batch:
        """Mix a batch, see :class:`~mmdmt.mixes.mix.Mix`."""
        order = np.random.permutation(len(labeled))
        pairs = {
            image: labeled[order[place % len(labeled)]]
            for place, image in enumerate(pseudo)
            if np.random.random() < self.prob
        }
        return paste_classes(batch, pairs, num_classes)

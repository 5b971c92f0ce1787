"""Masked images: blocks of the learner's view are blanked."""

from collections.abc import Sequence

import numpy as np

from mmdmt.method.mixing import Batch, blank_blocks
from mmdmt.registry import MODELS
from mmdmt.settings import Number, check_settings


@MODELS.register_module()
class BlockMask:
    """Blank blocks of pseudo-labeled images, so that a learner has to tell a region by its surroundings.

    Hoyer et al., "MIC: Masked Image Consistency for Context-Enhanced Domain Adaptation", CVPR 2023, arXiv 2212.01322.

    Args:
        size (int): Side of a block, in pixels. Defaults to 64.
        share (float): Share of the blocks that is blanked. Defaults to 0.7.
        prob (float): Probability with which an image is masked. Defaults to 1.

    Raises:
        ValueError: If a value is outside of its range.
    """

    spaces = ('pixels', 'images')
    needs_pseudo, needs_labeled = 1, 0
    SETTINGS = {'size': Number(1, whole=True), 'share': Number(0, 1), 'prob': Number(0, 1)}

    def __init__(self, size: int = 64, share: float = 0.7, prob: float = 1.0) -> None:
        check_settings(self, locals())
        self.size, self.share, self.prob = size, share, prob

    def __call__(self, batch: Batch, pseudo: Sequence[int], labeled: Sequence[int], num_classes: int) -> Batch:
        """Mix a batch, see :class:`~mmdmt.mixes.mix.Mix`."""
        images = [image for image in pseudo if np.random.random() < self.prob]
        return blank_blocks(batch, images, self.size, self.share) if images else batch

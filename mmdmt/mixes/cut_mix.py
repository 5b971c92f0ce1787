"""CutMix between the pseudo-labeled images of a peer."""

import math
from collections.abc import Sequence

import numpy as np

from mmdmt.method.mixing import PixelBatch, draw_box, draw_partners, paste_boxes
from mmdmt.mixes.mix import check_range, check_share
from mmdmt.registry import MODELS


@MODELS.register_module()
class CutMix:
    """Paste a rectangle of another pseudo-labeled image of the same peer's batch, with its label and confidence.

    Yun et al., "CutMix", ICCV 2019, arXiv 1905.04899; the defaults are those of UniMatch, arXiv 2208.09910.

    Args:
        prob (float): Probability with which an image gets a rectangle. Defaults to 0.5.
        area (tuple[float, float]): Least and greatest share of the image. Defaults to (0.02, 0.4).
        aspect (tuple[float, float]): Least and greatest height over width. Defaults to (0.3, 1 / 0.3).

    Raises:
        ValueError: If a value is not a probability or no range.
    """

    space = 'pixels'
    needs_pseudo, needs_labeled = 2, 0

    def __init__(
        self,
        prob: float = 0.5,
        area: tuple[float, float] = (0.02, 0.4),
        aspect: tuple[float, float] = (0.3, 1 / 0.3),
    ) -> None:
        check_share('prob of CutMix', prob)
        check_range('area of CutMix', area, 1)
        check_range('aspect of CutMix', aspect, math.inf)
        self.prob, self.area, self.aspect = prob, (area[0], area[1]), (aspect[0], aspect[1])

    def __call__(
        self, batch: PixelBatch, pseudo: Sequence[int], labeled: Sequence[int], num_classes: int
    ) -> PixelBatch:
        """Mix a batch, see :class:`~mmdmt.mixes.mix.Mix`."""
        size = (batch.label.shape[1], batch.label.shape[2])
        boxes = {
            image: (partner, draw_box(size, self.area, self.aspect))
            for image, partner in draw_partners(pseudo).items()
            if np.random.random() < self.prob
        }
        return paste_boxes(batch, boxes)

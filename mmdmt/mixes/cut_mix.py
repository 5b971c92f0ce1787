"""CutMix between the pseudo-labeled images of a peer."""

from collections.abc import Sequence

import numpy as np

from mmdmt.method.mixing import Batch, draw_box, draw_partners, paste_boxes
from mmdmt.registry import MODELS
from mmdmt.settings import Number, Pair, check_settings


@MODELS.register_module()
class CutMix:
    """Paste a rectangle of another pseudo-labeled image of the same peer's batch, with its label and confidence.

    Yun et al., "CutMix", ICCV 2019, arXiv 1905.04899; the defaults are those of UniMatch, arXiv 2208.09910.

    Args:
        prob (float): Probability with which an image gets a rectangle. Defaults to 0.5.
        area (tuple[float, float]): Least and greatest share of the image. Defaults to (0.02, 0.4).
        aspect (tuple[float, float]): Least and greatest height over width. Defaults to (0.3, 1 / 0.3).

    Raises:
        ValueError: If a value is outside of its range, or a least one above its greatest.
    """

    spaces = ('pixels',)
    needs_pseudo, needs_labeled = 2, 0
    SETTINGS = {
        'prob': Number(0, 1),
        'area': Pair(Number(0, 1, above=True)),
        'aspect': Pair(Number(0, above=True)),
    }

    def __init__(
        self,
        prob: float = 0.5,
        area: tuple[float, float] = (0.02, 0.4),
        aspect: tuple[float, float] = (0.3, 1 / 0.3),
    ) -> None:
        check_settings(self, locals())
        self.prob, self.area, self.aspect = prob, (area[0], area[1]), (aspect[0], aspect[1])

    def __call__(self, batch: Batch, pseudo: Sequence[int], labeled: Sequence[int], num_classes: int) -> Batch:
        """Mix a batch, see :class:`~mmdmt.mixes.mix.Mix`."""
        size = (batch.label.shape[1], batch.label.shape[2])
        boxes = {
            image: (partner, draw_box(size, self.area, self.aspect))
            for image, partner in draw_partners(pseudo).items()
            if np.random.random() < self.prob
        }
        return paste_boxes(batch, boxes)

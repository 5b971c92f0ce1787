"""Scale images by one random factor of their own size."""

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmseg.datasets.transforms import Resize

from mmdmt.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomScale(BaseTransform):
    """Scale image, label and confidence by one random factor of the size they have.

    ``RandomResize`` scales all images to about one size; this one leaves small images smaller than large ones.

    Required keys: ``img``. Modified keys: those of ``Resize``.

    Args:
        min_factor (float): Smallest factor, above 0.
        max_factor (float): Largest factor. Factors are drawn evenly between the two.

    Raises:
        ValueError: If the factors are negative or out of order.
    """

    def __init__(self, min_factor: float, max_factor: float) -> None:
        if not 0 < min_factor <= max_factor:
            raise ValueError(
                f'min_factor={min_factor}, max_factor={max_factor} of RandomScale must be a range: give '
                '0 < min_factor <= max_factor, such as 0.5 and 1.5.'
            )
        self.min_factor, self.max_factor = min_factor, max_factor
        self.resize = Resize(scale_factor=1.0)

    @cache_randomness
    def _factor(self) -> float:
        return float(np.random.uniform(self.min_factor, self.max_factor))

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Scale it."""
        self.resize.scale_factor = (self._factor(),) * 2
        scaled: dict[str, Any] = self.resize(results)
        return scaled

"""Strong colors for the learner's view, in units of the image."""

from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform, RandomApply
from mmcv.transforms.utils import cache_randomness

from mmdmt.registry import TRANSFORMS
from mmdmt.settings import Number, check_settings


@TRANSFORMS.register_module()
class StrongColors(BaseTransform):
    """Change brightness, contrast, saturation and hue, take the color away, and blur.

    At ``strength=1`` and 321 pixels this is the strong view of UniMatch (arXiv 2208.09910): a jitter of 0.5 and a hue
    of 0.25 with probability 0.8, gray with 0.2, and with 0.5 a blur of a sigma of up to 2 pixels. On images of another
    size the sigma is the same share of the shorter side: 2 pixels at 321 leave 240 x 180 pixels with little to see.

    Required keys: ``img``. Modified keys: ``img``.

    Args:
        strength (float): Factor of jitter and hue, of the probability of gray and of the largest sigma, in (0, 1].
            Defaults to 1.0.
        hue (float): The largest shift of the hue at ``strength=1``, in [0, 0.5]; 0 where colors tell classes apart.
            Defaults to 0.25.
        sigma (float): The largest sigma of the blur at ``strength=1``, as a share of the shorter side. Defaults to
            2 / 321.

    Raises:
        ValueError: If a value is out of its range.
    """

    SETTINGS = {'strength': Number(0, 1, above=True), 'hue': Number(0, 0.5), 'sigma': Number(0)}

    def __init__(self, strength: float = 1.0, hue: float = 0.25, sigma: float = 2 / 321) -> None:
        check_settings(self, locals())
        self.strength, self.hue, self.sigma = strength, hue, sigma
        amount = 0.5 * strength
        jitter = {'brightness': amount, 'contrast': amount, 'saturation': amount, 'hue': hue * strength}
        self._jitter = RandomApply([{'type': 'mmpretrain.ColorJitter', **jitter}], prob=0.8)

    @cache_randomness
    def _draw(self) -> tuple[bool, float]:
        # Whether the image is gray, and the sigma of its blur as a share of the shorter side; 0 for none. A comment:
        # Sphinx trips over a docstring here.
        gray, blurred, share = np.random.random(3)
        return bool(gray < 0.2 * self.strength), float(share * self.strength * self.sigma) if blurred < 0.5 else 0.0

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Change the colors."""
        changed: dict[str, Any] = self._jitter(results)
        gray, share = self._draw()
        image = changed['img']
        if gray:
            image = np.repeat(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None], 3, axis=2)
        sigma = share * min(image.shape[:2])
        if sigma > 0.1:  # less changes no value
            image = cv2.GaussianBlur(image, (0, 0), sigma)
        changed['img'] = image
        return changed

"""Invert images whose writing is dark on light."""

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from mmdmt.registry import TRANSFORMS
from mmdmt.settings import Number, check_settings


@TRANSFORMS.register_module()
class LightOnDark(BaseTransform):
    """Invert images that show dark on light, so that writing is light on dark in all of them.

    For domains of writing, drawings or microscopy that differ in polarity. What is written covers less than half of an
    image, so it is dark on light where the mean of the gray values is below their median. No label is looked at, so
    test images may be treated alike.

    Required keys: ``img``. Modified keys: ``img``.

    Args:
        prob (float): How likely an image that shows dark on light is inverted, in [0, 1]. Defaults to 1.0; 0.5 makes
            a network see both polarities.

    Raises:
        ValueError: If ``prob`` is out of its range, or an image has other than whole numbers from 0 on.
    """

    SETTINGS = {'prob': Number(0, 1)}

    def __init__(self, prob: float = 1.0) -> None:
        check_settings(self, locals())
        self.prob = prob

    @cache_randomness
    def _chosen(self) -> bool:
        return bool(np.random.rand() < self.prob)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Invert the image if it shows dark on light."""
        image = results['img']
        if image.dtype.kind != 'u':
            raise ValueError(f'LightOnDark got a {image.dtype} image: put it before what makes floats.')
        gray = image.mean(axis=2) if image.ndim == 3 else image
        if gray.mean() < np.median(gray) and self._chosen():
            results['img'] = np.iinfo(image.dtype).max - image
        return results

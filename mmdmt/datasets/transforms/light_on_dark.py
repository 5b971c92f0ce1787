"""Invert images whose writing is dark on light."""

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from mmdmt.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LightOnDark(BaseTransform):
    """Invert images that show dark on light, so that writing is light on dark in all of them.

    For domains of writing, drawings or microscopy that differ in polarity. What is written covers less than half of an
    image, so it is dark on light where the mean of the gray values is below their median. No label is looked at, so
    test images may be treated alike.

    Required keys: ``img``, of whole numbers from 0 on. Modified keys: ``img``.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Invert the image if it shows dark on light."""
        image = results['img']
        if image.dtype.kind != 'u':
            raise ValueError(f'LightOnDark got a {image.dtype} image: put it before what makes floats.')
        gray = image.mean(axis=2) if image.ndim == 3 else image
        if gray.mean() < np.median(gray):
            results['img'] = np.iinfo(image.dtype).max - image
        return results

"""Blank the pixels of an image that hold no data, and find them again where labels are loaded."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def blank_nodata(results: dict[str, Any], value: float) -> None:
    """Set pixels of ``img`` without data to zero, and note in ``nodata``, bool (H, W), where they are.

    They hold ``value`` in all bands, or NaN or an infinite number in any.
    """
    image = np.atleast_3d(results['img'])
    results['nodata'] = ~np.isfinite(image).all(axis=2) | (image == value).all(axis=2)
    results['img'][results['nodata']] = 0


def ignore_nodata(results: dict[str, Any], label: NDArray[np.uint8], ignored: int) -> None:
    """Ignore the label where the image of the same results holds no data; the image may have been resized since."""
    nodata = results.get('nodata')
    if nodata is None:
        return
    if nodata.shape != label.shape:
        nodata = cv2.resize(nodata.astype(np.uint8), label.shape[::-1], interpolation=cv2.INTER_NEAREST) == 1
    label[nodata] = ignored

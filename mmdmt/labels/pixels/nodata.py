"""Blank the pixels of an image that hold no data, and find them again where labels are loaded."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def blank_nodata(results: dict[str, Any], value: float) -> None:
    """Set pixels without data to zero, and note where they are.

    Args:
        results (dict): With ``img``, float32; gets ``nodata``, bool (H, W), by which labels are ignored when they are
            loaded.
        value (float): What stands in all bands where there is no data; NaN and infinite numbers count in any band.
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

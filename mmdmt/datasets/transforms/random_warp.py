"""Warp images at random: turned, sheared, stretched and bent."""

from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from numpy.typing import NDArray

from mmdmt.registry import TRANSFORMS
from mmdmt.settings import Number, check_settings


@TRANSFORMS.register_module()
class RandomWarp(BaseTransform):
    """Turn, shear, stretch and bend an image, its label and the label's confidence alike.

    For domains that differ in shape: handwriting from print, tissue of two laboratories. The image keeps its size; what
    comes in from outside is mirrored at the border, label and all, so nothing has to be ignored.

    Required keys: ``img``. Modified keys: ``img`` (interpolated) and every field of ``seg_fields`` (nearest pixel).

    Args:
        degrees (float): Largest turn to either side, in degrees. Defaults to 15.
        shear (float): Largest shift of a row, as a part of its distance from the center. Defaults to 0.2.
        stretch (float): Largest factor of height and of width; its inverse is the smallest. Defaults to 1.2.
        bend (float): Largest shift of a node of a coarse grid along each axis, as a part of the longer side. Defaults
            to 0.04.
        nodes (int): Nodes of that grid along each side. Defaults to 4.
        prob (float): How likely an image is warped. Defaults to 1.0.

    Raises:
        ValueError: If an argument is outside its range.
    """

    SETTINGS = {
        'degrees': Number(0, 180),
        'shear': Number(0, 2),
        'stretch': Number(1, 4),
        'bend': Number(0, 0.5),
        'nodes': Number(2, 64, whole=True),
        'prob': Number(0, 1),
    }

    def __init__(
        self,
        degrees: float = 15.0,
        shear: float = 0.2,
        stretch: float = 1.2,
        bend: float = 0.04,
        nodes: int = 4,
        prob: float = 1.0,
    ) -> None:
        check_settings(self, locals())
        self.degrees, self.shear, self.stretch = degrees, shear, stretch
        self.bend, self.nodes, self.prob = bend, nodes, prob

    @cache_randomness
    def _sources(self, height: int, width: int) -> NDArray[np.float32] | None:
        # Where each pixel comes from, x and y; None if the image stays as it is. Sphinx trips over a docstring here: it
        # looks the method up in the class, where MMCV's wrapper finds no instance.
        if np.random.rand() >= self.prob:
            return None
        angle = np.deg2rad(np.random.uniform(-self.degrees, self.degrees))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        shear = np.array([[1, np.random.uniform(-self.shear, self.shear)], [0, 1]])
        stretch = np.diag(self.stretch ** np.random.uniform(-1, 1, 2))
        shifts = np.random.uniform(-1, 1, (self.nodes, self.nodes, 2)) * self.bend * max(height, width)
        # Pixels relative to the center of the image, around which it is turned.
        y = np.arange(height, dtype=np.float32)[:, None] - (height - 1) / 2
        x = np.arange(width, dtype=np.float32) - (width - 1) / 2
        bent = cv2.resize(shifts.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        for axis, (along, across) in enumerate((turn @ shear @ stretch).astype(np.float32)):
            bent[..., axis] += along * x + across * y + np.float32(((width, height)[axis] - 1) / 2)
        return bent

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Warp it."""
        image = results['img']
        sources = self._sources(*image.shape[:2])
        if sources is None:
            return results
        warped = cv2.remap(image, sources, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        results['img'] = warped.reshape(image.shape)  # OpenCV drops an axis of one channel
        columns, rows = (_mirrored(sources[..., axis], image.shape[1 - axis]) for axis in (0, 1))
        for field in results.get('seg_fields', ()):
            results[field] = results[field][rows, columns]
        return results


def _mirrored(positions: NDArray[np.float32], size: int) -> NDArray[np.int64]:
    """Return the nearest pixels along an axis, mirrored at its ends as often as it takes."""
    there_and_back = max(2 * (size - 1), 1)
    pixels = np.abs(np.rint(positions).astype(np.int64)) % there_and_back
    return np.minimum(pixels, there_and_back - pixels)

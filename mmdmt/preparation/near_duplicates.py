"""Find images that are nearly the same as their neighbor, yet stand in another list: frames, slices, bursts."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

_NPY = b'\x93NUMPY'
_SIDE = 32
_MOST_PAIRS = 200
#: How much smaller the difference to the neighbor is than that between any two images.
_SHARE = 0.25


class NearDuplicates(NamedTuple):
    """Neighbors of different lists that look alike.

    Args:
        pairs: The images of each pair.
        looked_at: How many pairs of neighbors in different lists were compared.
    """

    pairs: tuple[tuple[str, str], ...]
    looked_at: int


def near_duplicates(lists: Mapping[str, Sequence[str]], path_of: Callable[[str], Path]) -> NearDuplicates:
    """Compare images with the next by name where the two stand in different lists.

    Small gray pictures of 32x32 pixels are compared: two images are nearly the same if their mean difference is a
    quarter at most of what is usual between images of this data set that are far apart. At most 200 pairs are looked
    at, spread over all.

    Args:
        lists: The images of each list.
        path_of: Returns the file of an image, a picture or an array of numpy. What is neither is passed over.

    Returns:
        The pairs that look alike, in the order of their names.
    """
    part = {image: name for name, images in lists.items() for image in images}
    order = sorted(part)
    apart = [(one, other) for one, other in pairwise(order) if part[one] != part[other]]
    step = max(1, -(-len(apart) // _MOST_PAIRS))
    small: dict[str, npt.NDArray[np.float32] | None] = {}

    def difference(one: str, other: str) -> float | None:
        for image in (one, other):
            if image not in small:
                small[image] = _thumbnail(path_of(image))
        left, right = small[one], small[other]
        return None if left is None or right is None else float(np.abs(left - right).mean())

    near = {pair: found for pair in apart[::step] if (found := difference(*pair)) is not None}
    looked_at = [image for image, picture in small.items() if picture is not None]
    half = len(looked_at) // 2
    usual = [found for pair in zip(looked_at, looked_at[half:], strict=False) if (found := difference(*pair))]
    limit = _SHARE * float(np.median(usual)) if usual else 0.0
    return NearDuplicates(tuple(pair for pair, found in near.items() if found <= limit), len(near))


def _thumbnail(path: Path) -> npt.NDArray[np.float32] | None:
    """Read an image in gray and small, each channel in its own range; None if it is none."""
    try:
        with path.open('rb') as file:
            if file.read(len(_NPY)) == _NPY:
                return _small(np.load(path, mmap_mode='r', allow_pickle=False))
        with Image.open(path) as image:
            image.draft('L', (4 * _SIDE, 4 * _SIDE))  # a JPEG is decoded at a part of its size
            return np.asarray(
                image.convert('F' if image.mode.startswith('I') else 'L').resize((_SIDE, _SIDE)), np.float32
            )
    except UnidentifiedImageError:
        decoded = _bands(path)
        return None if decoded is None else _small(decoded)
    except (OSError, ValueError, EOFError):
        return None


def _bands(path: Path) -> npt.NDArray[Any] | None:
    """Read what Pillow does not, such as a TIFF of many bands: by tifffile if it is installed, or by OpenCV."""
    if find_spec('tifffile') is not None:
        import tifffile

        with suppress(Exception), tifffile.TiffFile(path) as file:  # whatever it and its codecs raise
            page: Any = file.pages[0]
            array: npt.NDArray[Any] = page.asarray()
            return np.moveaxis(array, 0, -1) if page.axes == 'SYX' else array
    data = np.fromfile(path, np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None  # OpenCV takes no empty file


def _small(array: npt.NDArray[Any]) -> npt.NDArray[np.float32] | None:
    """Average the bands of an array, (H, W) or (H, W, bands), and make it small; None of an array of another shape."""
    if array.ndim not in (2, 3) or array.dtype.kind not in 'buif' or not array.size:
        return None
    step = max(1, min(array.shape[:2]) // (4 * _SIDE))
    gray = array[::step, ::step].reshape(*array[::step, ::step].shape[:2], -1).mean(axis=2, dtype=np.float32)
    return np.asarray(cv2.resize(np.nan_to_num(gray), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.float32)

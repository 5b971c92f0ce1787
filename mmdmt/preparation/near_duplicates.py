"""Find images that are nearly the same as their neighbor, or share pixels with it, yet stand in another list."""

import re
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
_BLOCK, _TEXTURED, _SHARED = 16, 24, 0.1
_MOST_SHARED, _MOST_PIXELS = 60, 2**22
_TILES = (
    r'^(.*?)(?:_[0-9]+){4}$',
    r'^(.*?)[_-][ry](?:ow)?[0-9]+[_-][cx](?:ol)?[0-9]+$',
    r'^(.*?)[_-]x[0-9]+[_-]y[0-9]+$',
    r'^(.*?)_[0-9]+_[0-9]+$',
)


class NearDuplicates(NamedTuple):
    """Neighbors of different lists that look alike: frames, slices, bursts; or that are tiles of one scene.

    Args:
        pairs: The images of each pair.
        looked_at: How many pairs of neighbors in different lists were compared.
        shared: The images of each pair that has a part of equal pixels, where one is validated or tested on; the first
            60 such pairs are compared.
    """

    pairs: tuple[tuple[str, str], ...]
    looked_at: int
    shared: tuple[tuple[str, str], ...] = ()


def near_duplicates(lists: Mapping[str, Sequence[str]], path_of: Callable[[str], Path]) -> NearDuplicates:
    """Compare images with the next by name where the two stand in different lists.

    Gray pictures of 32x32 pixels are compared: two images are nearly the same if their mean difference is a quarter at
    most of what is usual between images that are far apart. At most 200 pairs are looked at, spread over all.
    """
    part = {image: name for name, images in lists.items() for image in images}
    apart = [(one, other) for one, other in pairwise(sorted(part)) if part[one] != part[other]]
    apart = apart[:: max(1, -(-len(apart) // _MOST_PAIRS))]
    small = {image: _thumbnail(path_of(image)) for image in dict.fromkeys(image for pair in apart for image in pair)}

    def difference(one: str, other: str) -> float | None:
        left, right = small[one], small[other]
        return None if left is None or right is None else float(np.abs(left - right).mean())

    near = {pair: found for pair in apart if (found := difference(*pair)) is not None}
    looked_at = [image for image, picture in small.items() if picture is not None]
    usual = [
        found for pair in zip(looked_at, looked_at[len(looked_at) // 2 :], strict=False) if (found := difference(*pair))
    ]
    limit = _SHARE * float(np.median(usual)) if usual else 0.0
    alike = tuple(pair for pair, found in near.items() if found <= limit)
    judged = [pair for pair in near if sum(part[image].startswith(('val', 'test')) for image in pair) == 1]
    shared = tuple(pair for pair in judged[:_MOST_SHARED] if share_pixels(*map(path_of, pair)))
    return NearDuplicates(alike, len(near), shared)


def share_pixels(one: Path, other: Path) -> bool:
    """Return whether two images have a part of equal pixels, wherever it lies in them, as overlapping tiles have.

    Blocks of 16x16 pixels of the one, on a grid, are looked for at every place of the other; blocks of one shade do not
    count.
    """
    left, right = _pixels(one), _pixels(other)
    if left is None or right is None:
        return False
    rows, columns = (side // _BLOCK * _BLOCK for side in left.shape)
    blocks = left[:rows, :columns].reshape(rows // _BLOCK, _BLOCK, columns // _BLOCK, _BLOCK)
    textured = np.ptp(blocks, axis=(1, 3)) >= _TEXTURED
    wanted = _hashes(left)[:rows:_BLOCK, :columns:_BLOCK][textured]
    found = np.isin(wanted, _hashes(right)).sum()
    return bool(found >= 3 and found >= _SHARED * len(wanted))


def propose_group(images: Sequence[str]) -> str:
    """Propose a regular expression by which tiles of one scene stay together; '' if names are not those of tiles.

    Example:
        >>> propose_group(['P1_0_64', 'P1_64_0', 'P2_0_0', 'P2_0_64'])
        '^(.*?)_[0-9]+_[0-9]+$'
    """
    for pattern in _TILES:
        found = [re.match(pattern, image) for image in images]
        groups = {match[1] for match in found if match}
        if all(found) and 1 < len(groups) <= len(images) / 2:
            return pattern
    return ''


def _pixels(path: Path) -> npt.NDArray[np.float64] | None:
    """Add up the bands of an image; None of one that cannot be read, or is too small or too large to be compared."""
    try:
        with Image.open(path) as image:
            if min(image.size) < _BLOCK or image.size[0] * image.size[1] > _MOST_PIXELS:
                return None
            array = np.asarray(image)
    except (OSError, ValueError):
        return None
    return array.reshape(*array.shape[:2], -1).sum(axis=2, dtype=np.float64) if array.dtype.kind in 'bu' else None


def _hashes(image: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Hash the block that begins at each pixel: a sum of its pixels with random weights, exact in float64."""
    weights = np.random.default_rng(0).integers(1, 2**15, (2, _BLOCK)).astype(np.float64)
    hashes = cv2.sepFilter2D(image, cv2.CV_64F, weights[0], weights[1], anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
    return np.asarray(hashes[: image.shape[0] - _BLOCK + 1, : image.shape[1] - _BLOCK + 1], np.float64)


def _thumbnail(path: Path) -> npt.NDArray[np.float32] | None:
    """Read an image in gray and small, each channel in its own range; None if it cannot be read."""
    try:
        with path.open('rb') as file:
            if file.read(len(_NPY)) == _NPY:
                return _small(np.load(path, mmap_mode='r', allow_pickle=False))
        with Image.open(path) as image:
            image.draft('L', (4 * _SIDE, 4 * _SIDE))  # a JPEG is decoded at a part of its size
            gray = image.convert('F' if image.mode.startswith('I') else 'L')
            return np.asarray(gray.resize((_SIDE, _SIDE)), np.float32)
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

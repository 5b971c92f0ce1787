"""Find images of validation or test that are nearly the same as a neighbor in another list, or share pixels with it."""

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
Floats = npt.NDArray[np.float64]


class NearDuplicates(NamedTuple):
    """Neighbors of which one is validated or tested on: frames, slices or bursts that look alike; tiles of one scene.

    Args:
        pairs: Those that look alike.
        looked_at: How many pairs were compared.
        shared: Those that have a part of equal pixels; 60 pairs at most are compared in this way.
    """

    pairs: tuple[tuple[str, str], ...]
    looked_at: int
    shared: tuple[tuple[str, str], ...] = ()


def near_duplicates(lists: Mapping[str, Sequence[str]], path_of: Callable[[str], Path]) -> NearDuplicates:
    """Compare images with the next by name, where one is in a list called ``val...`` or ``test...`` and one is not.

    Gray pictures of 32x32 pixels are compared: two images are nearly the same if their mean difference is a quarter at
    most of what is usual between images that are far apart. At most 200 pairs are looked at, spread over all.
    """
    judged = {image: name.startswith(('val', 'test')) for name, images in lists.items() for image in images}
    apart = [(one, other) for one, other in pairwise(sorted(judged)) if judged[one] != judged[other]]
    apart = apart[:: max(1, -(-len(apart) // _MOST_PAIRS))]
    small = {image: _thumbnail(path_of(image)) for image in dict.fromkeys(image for pair in apart for image in pair)}

    def difference(one: str, other: str) -> float | None:
        left, right = small[one], small[other]
        return None if left is None or right is None else float(np.abs(left - right).mean())

    near = {pair: found for pair in apart if (found := difference(*pair)) is not None}
    readable = [image for image, picture in small.items() if picture is not None]
    far = zip(readable, readable[len(readable) // 2 :], strict=False)
    usual = [found for pair in far if (found := difference(*pair))]
    limit = _SHARE * float(np.median(usual)) if usual else 0.0
    alike = tuple(pair for pair, found in near.items() if found <= limit)
    shared = tuple(pair for pair in list(near)[:_MOST_SHARED] if share_pixels(*map(path_of, pair)))
    return NearDuplicates(alike, len(near), shared)


def share_pixels(one: Path, other: Path) -> bool:
    """Return whether two images have a part of equal pixels, wherever it lies in them, as overlapping tiles have.

    Blocks of 16x16 pixels of the one, on a grid, are looked for at every place of the other; blocks of one shade do not
    count. Images of less than a block, of more than 4 million pixels or of floating numbers are not compared.
    """
    left, right = (_gray(path, 'bu') for path in (one, other))
    if left is None or right is None or min(*left.shape, *right.shape) < _BLOCK:
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


def _hashes(image: Floats) -> Floats:
    """Hash the block that begins at each pixel: a sum of its pixels with random weights, exact in float64."""
    weights = np.random.default_rng(0).integers(1, 2**15, (2, _BLOCK)).astype(np.float64)
    hashes = cv2.sepFilter2D(image, cv2.CV_64F, weights[0], weights[1], anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
    return np.asarray(hashes[: image.shape[0] - _BLOCK + 1, : image.shape[1] - _BLOCK + 1], np.float64)


def _thumbnail(path: Path) -> Floats | None:
    gray = _gray(path, 'buif', draft=4 * _SIDE)
    return None if gray is None else np.asarray(cv2.resize(gray, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA))


def _gray(path: Path, kinds: str, draft: int = 0) -> Floats | None:
    """Add up the bands of an image, (H, W), at about ``draft`` pixels a side; None of other kinds, or if unreadable."""
    array = None
    with suppress(Exception):  # whatever a decoder raises; told where the image is loaded
        array = _decoded(path, draft)
    if array is None or array.ndim not in (2, 3) or array.dtype.kind not in kinds or not array.size:
        return None
    step = max(1, min(array.shape[:2]) // draft) if draft else 1
    array = array[::step, ::step]
    return np.nan_to_num(array.reshape(*array.shape[:2], -1).sum(axis=2, dtype=np.float64))


def _decoded(path: Path, draft: int) -> npt.NDArray[Any] | None:
    with path.open('rb') as file:
        if file.read(len(_NPY)) == _NPY:
            return np.asarray(np.load(path, mmap_mode='r', allow_pickle=False))
    try:
        with Image.open(path) as image:
            if draft:
                image.draft('L', (draft, draft))  # a JPEG is decoded at a part of its size
            elif image.size[0] * image.size[1] > _MOST_PIXELS:
                return None
            return np.asarray(image.convert('L') if image.mode in ('1', 'P') else image)
    except UnidentifiedImageError:  # such as a TIFF of many bands
        if find_spec('tifffile') is None:
            return cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
        import tifffile

        with tifffile.TiffFile(path) as tiff:
            page: Any = tiff.pages[0]
            array: npt.NDArray[Any] = page.asarray()
            return np.moveaxis(array, 0, -1) if page.axes == 'SYX' else array

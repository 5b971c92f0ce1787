"""Find images that are nearly the same as their neighbor, yet stand in another list: frames, slices, bursts."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

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
        path_of: Returns the file of an image. What is not an image that Pillow reads is passed over.

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
        with Image.open(path) as image:
            image.draft('L', (4 * _SIDE, 4 * _SIDE))  # a JPEG is decoded at a part of its size
            return np.asarray(
                image.convert('F' if image.mode.startswith('I') else 'L').resize((_SIDE, _SIDE)), np.float32
            )
    except (OSError, UnidentifiedImageError, ValueError):
        return None

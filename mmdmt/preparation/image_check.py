"""Check one image and its mask, read as training reads them."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import cv2
import numpy as np
from mmengine import fileio
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from mmdmt.registry import TRANSFORMS

_CONVERT = 'convert it to one channel of class ids (tools/dataset_converters/color_masks.py)'
_UNREADABLE = (AssertionError, OSError, ValueError, SyntaxError, cv2.error, Image.DecompressionBombError)


@dataclass(frozen=True)
class ImageSource:
    """An image of a dataset, and how it is loaded.

    Args:
        entry: Of the dataset's list: ``img_path``, and what else its transforms need.
        loaders: Config of the transform that loads the image and, if it has a mask, of the one that loads that.
    """

    entry: Mapping[str, Any]
    loaders: tuple[Mapping[str, Any], ...]

    @property
    def path(self) -> str:
        """The image file."""
        return str(self.entry['img_path'])

    @property
    def mask(self) -> str:
        """The mask file; empty if there is none."""
        return str(self.entry['seg_map_path']) if len(self.loaders) > 1 else ''

    def load_image(self) -> NDArray[Any]:
        """Load the image, (H, W, channels)."""
        image: NDArray[Any] = TRANSFORMS.build(dict(self.loaders[0]))(self._results())['img']
        return image

    def load_mask(self) -> NDArray[np.uint8]:
        """Load the mask, (H, W): class ids as the heads see them."""
        mask: NDArray[np.uint8] = TRANSFORMS.build(dict(self.loaders[1]))(self._results())['gt_seg_map']
        return mask

    def _results(self) -> dict[str, Any]:
        return {**self.entry, 'seg_fields': []}


@dataclass(frozen=True, eq=False)
class CheckedImage:
    """Findings in an image and its mask.

    Args:
        path: The image file.
        mask: The mask file; empty if there is none.
        digest: Of the pixels, with their shape; empty if the image cannot be read.
        counts: Pixels of each label, int64 (256,); None without a mask that can be read.
        problems: A sentence each.
    """

    path: str
    mask: str
    digest: bytes
    counts: NDArray[np.int64] | None
    problems: tuple[str, ...]


def check_image(source: ImageSource, num_classes: int, ignore_index: int) -> CheckedImage:
    """Read an image and its mask, and find what is wrong with them.

    Args:
        source (ImageSource): The image.
        num_classes (int): Labels are below it.
        ignore_index (int): The one other label.

    Returns:
        CheckedImage: What was found.
    """
    problems: list[str] = []
    image = mask = None
    try:
        _check_whole(source.path, source.loaders[0])
        image = source.load_image()
    except _UNREADABLE as error:
        problems.append(_unreadable('image', source.path, error))
    if source.mask:
        try:
            unfit = _mode_problems(source) if source.loaders[1]['type'] == 'LoadAnnotations' else []
            mask = None if unfit else source.load_mask()
            problems += unfit
        except _UNREADABLE as error:
            problems.append(_unreadable('mask', source.mask, error))
    counts = None
    if mask is not None:
        if image is not None and mask.shape[:2] != image.shape[:2]:
            problems.append(_size_problem(source, image.shape, mask.shape))
        counts = np.bincount(mask.reshape(-1), minlength=256)
        labels = np.flatnonzero(counts)
        foreign = labels[(labels >= num_classes) & (labels != ignore_index)]
        if foreign.size:
            problems.append(
                f'The mask {source.mask} holds {", ".join(map(str, foreign))} ({counts[foreign].sum()} pixels), but '
                f'the {num_classes} classes are 0..{num_classes - 1} and {ignore_index} is ignored: convert it, or '
                'mend the classes or reduce_zero_label of the dataset.'
            )
    digest = b'' if image is None else _digest(image)
    return CheckedImage(source.path, source.mask, digest, counts, tuple(problems))


def _check_whole(path: str, loader: Mapping[str, Any]) -> None:
    """Decode strictly what Pillow knows: OpenCV fills up a file that was cut short with gray, and says nothing."""
    data = fileio.get(path, backend_args=loader.get('backend_args'))
    try:
        image = Image.open(io.BytesIO(data))
    except (UnidentifiedImageError, Image.DecompressionBombError):
        return
    image.draft('L', (1, 1))  # the cheapest decoding that reads all of a JPEG
    image.load()


def _mode_problems(source: ImageSource) -> list[str]:
    data = fileio.get(source.mask, backend_args=source.loaders[1].get('backend_args'))
    with Image.open(io.BytesIO(data)) as image:
        if image.mode in ('1', 'L', 'P'):
            return []
        # Of 16 bits, the toolbox drops the upper ones without a word.
        return [f'The mask {source.mask} is an image of mode {image.mode}, not of 8 bits: {_CONVERT}.']


def _size_problem(source: ImageSource, image: tuple[int, ...], mask: tuple[int, ...]) -> str:
    turned = ' The image is turned as its EXIF orientation says: turn the mask, too.' if image[1::-1] == mask else ''
    return (
        f'The mask {source.mask} has {mask[1]}x{mask[0]} pixels, but its image {source.path} {image[1]}x{image[0]}.'
        f'{turned or " Pair the right files, or make the mask anew."}'
    )


def _unreadable(kind: str, path: str, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        empty = ' (is there an empty line in the list?)' if PurePath(path).name.startswith('.') else ''
        return f'The {kind} {path} does not exist{empty}: put it there, or take its name off the list.'
    reason = str(error).strip().splitlines()[-1:] or [type(error).__name__]
    return f'The {kind} {path} cannot be read ({reason[0]}): replace it, or take its name off the list.'


def _digest(image: NDArray[Any]) -> bytes:
    digest = hashlib.blake2b(repr((image.shape, image.dtype)).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(image).data)
    return digest.digest()

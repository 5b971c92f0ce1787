"""The rules that a loaded mask must keep; a run and the check of data both go by them.

Each rule returns what it has found in one mask, or None.
"""

from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mmdmt.rules.file_rules import CONVERT
from mmdmt.rules.findings import Finding


def mask_shape(path: str, mask: NDArray[Any], image_path: str, image: tuple[int, ...] | None) -> Finding | None:
    """Find a mask of several channels, or of another size than its image."""
    if mask.ndim < 2:
        says = 'one pixel high or wide, of which MMSegmentation drops a dimension'
        return Finding('mask', path, f'is {says}', f'are {says}', 'take it off the list with its image')
    if mask.ndim > 2:
        says = f'loaded with {mask.shape[-1]} channels, but a mask has one channel of 8 bits'
        return Finding('mask', path, f'is {says}', f'are {says}', CONVERT)
    if image is None or mask.shape == image[:2]:
        return None
    turned = image[1::-1] == mask.shape
    remedy = 'turn the mask, too' if turned else 'pair the right files, or make the mask anew'
    why = ', which is turned as its EXIF orientation says' if turned else ''
    sizes = f'{mask.shape[1]}x{mask.shape[0]} pixels, but its image {image_path} {image[1]}x{image[0]}'
    kind = 'have another size than their images' + (', which EXIF orientation turns' if turned else '')
    detail = f'{mask.shape[1]}x{mask.shape[0]}, the image {image[1]}x{image[0]}'
    return Finding('mask', path, f'has {sizes}{why}', kind, remedy, detail)


def mask_labels(path: str, mask: NDArray[Any], classes: int, ignore_index: int) -> Finding | None:
    """Find labels that are neither classes nor ignored.

    Args:
        path (str): The mask file.
        mask (np.ndarray): (H, W) integers, uint8 if MMSegmentation has loaded it; as the heads see it.
        classes (int): How many there are.
        ignore_index (int): The label that is ignored.
    """
    if mask.dtype == np.uint8 and not cv2.LUT(np.ascontiguousarray(mask), _foreign(classes, ignore_index)).any():
        return None  # the quick way for each drawn image
    labels, pixels = np.unique(mask, return_counts=True)
    foreign = [label for label in labels.tolist() if not 0 <= label < classes and label != ignore_index]
    if not foreign:
        return None
    named = ', '.join(map(str, foreign[:5])) + (f' and {len(foreign) - 5} more' if len(foreign) > 5 else '')
    known = f'but the {classes} classes are 0..{classes - 1} and {ignore_index} is ignored'
    return Finding(
        'mask',
        path,
        f'holds label{"s" if len(foreign) > 1 else ""} {named}, {known}',
        f'hold labels that are not a class, {known}',
        'convert it, or mend the classes, ignore_index or reduce_zero_label of the dataset',
        f'{named}: {int(pixels[np.isin(labels, foreign)].sum())} pixels',
    )


@cache
def _foreign(classes: int, ignore_index: int) -> NDArray[np.uint8]:
    table = np.zeros(256, np.uint8)
    table[classes:] = 1
    if 0 <= ignore_index < len(table):
        table[ignore_index] = 0
    return table

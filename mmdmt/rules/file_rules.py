"""The rules that files of images and masks must keep; a run and the check of data both go by them.

Each returns what it has found in one file, or None. Arguments are the path of the file, its ``content`` as its header
says it (None if that is not known), the ``loader`` that has loaded it, and what was ``loaded``, (H, W, channels).
"""

from functools import cache
from pathlib import PurePath
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import LoadImageFromFile
from numpy.typing import NDArray

from mmdmt.rules.findings import Finding
from mmdmt.rules.image_content import ImageContent

CONVERT = 'convert it to one channel of class ids (tools/dataset_converters/color_masks.py)'
_CONVERT_DEEP = 'convert it to one channel of 8 bits with class ids from 0 on, 255 where it is ignored'
_MASK_MODES = ('1', 'L', 'P')
_NEARLY_BLACK, _NEARLY_WHITE = 64, 0.5


def missing(what: str, path: str) -> Finding:
    """Report that an ``'image'`` or a ``'mask'`` does not exist."""
    empty = ' (is there an empty line in the list?)' if PurePath(path).name.startswith('.') else ''
    remedy = (
        'check data_root, data_prefix, the suffixes and the list of the dataset, and that its converter has been run'
    )
    return Finding(what, path, f'does not exist{empty}', remedy, 'do not exist')


def unreadable(what: str, path: str, error: Exception) -> Finding:
    """Report why an ``'image'`` or a ``'mask'`` cannot be read."""
    if isinstance(error, FileNotFoundError):
        return missing(what, path)
    reason = (str(error).strip().splitlines() or [''])[-1] or type(error).__name__
    remedy = 'replace it, or take it off the list'
    return Finding(what, path, f'cannot be read ({reason})', remedy, 'cannot be read', reason)


def mask_mode(path: str, content: ImageContent | None) -> Finding | None:
    """Find a mask of several channels or more than 8 bits: the toolbox cuts 16 bits to 8 without a word."""
    if content is not None and content.mode == 'L' and content.bits in (2, 4):
        says = f'is gray with {content.bits} bits a pixel, which decoders stretch to 0..255'
        return Finding('mask', path, says, _CONVERT_DEEP)
    if content is None or (content.mode in _MASK_MODES and content.bits <= 8 and content.channels == 1):
        return _pages('mask', path, content)
    mode = f'of mode {content.mode}, but a mask has one channel of 8 bits'
    remedy = CONVERT if content.bits <= 8 else _CONVERT_DEEP
    return Finding('mask', path, f'is an image {mode}', remedy, f'are images {mode}')


def mask_shape(path: str, mask: NDArray[Any], image_path: str, image: tuple[int, ...] | None) -> Finding | None:
    """Find a loaded mask of several channels, or of another size than its image, whose shape is ``image``."""
    if mask.ndim < 2:
        says = 'is one pixel high or wide, of which MMSegmentation drops a dimension'
        return Finding('mask', path, says, 'take it off the list with its image')
    if mask.ndim > 2:
        says = f'is loaded with {mask.shape[-1]} channels, but a mask has one channel of 8 bits'
        return Finding('mask', path, says, CONVERT)
    if image is None or mask.shape == image[:2]:
        return None
    turned = image[1::-1] == mask.shape
    remedy = 'turn the mask, too' if turned else 'pair the right files, or make the mask anew'
    why = ', which is turned as its EXIF orientation says' if turned else ''
    sizes = f'{mask.shape[1]}x{mask.shape[0]} pixels, but its image {image_path} {image[1]}x{image[0]}'
    kind = 'have another size than their images' + (', which EXIF orientation turns' if turned else '')
    detail = f'{mask.shape[1]}x{mask.shape[0]}, the image {image[1]}x{image[0]}'
    return Finding('mask', path, f'has {sizes}{why}', remedy, kind, detail)


def mask_labels(path: str, mask: NDArray[Any], classes: int, ignore_index: int) -> Finding | None:
    """Find labels that are neither one of so many classes nor ignored in a loaded mask, (H, W) integers."""
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
        'convert it, or mend the classes, ignore_index or reduce_zero_label of the dataset',
        f'hold labels without a class, {known}',
        f'{named}: {int(pixels[np.isin(labels, foreign)].sum())} pixels',
    )


@cache
def _foreign(classes: int, ignore_index: int) -> NDArray[np.uint8]:
    table = np.zeros(256, np.uint8)
    table[classes:] = 1
    if 0 <= ignore_index < len(table):
        table[ignore_index] = 0
    return table


def image_findings(
    path: str,
    content: ImageContent | None,
    loader: object,
    loaded: NDArray[np.generic],
    shape: tuple[int, ...] = (),
    mask: tuple[int, ...] | None = None,
) -> list[Finding]:
    """Find all that is wrong or odd with an image, which was loaded with a ``shape`` and whose mask has the other."""
    found = [
        image_finite(path, loaded),
        image_planes(path, content, loader),
        image_depth(path, content, loader, loaded),
        image_bands(path, content, loaded),
        None if mask is None else image_turned(path, content, loader, shape, mask),
    ]
    return [finding for finding in found if finding is not None]


def image_finite(path: str, loaded: NDArray[np.generic]) -> Finding | None:
    """Find NaN and infinite numbers in a loaded image: one of them spreads over all that a network computes."""
    if loaded.dtype.kind != 'f' or np.isfinite(np.dot(loaded.ravel(), loaded.ravel())):
        return None  # the quick way: a square may overflow, and then they are counted
    number = int(np.count_nonzero(~np.isfinite(loaded)))
    if not number:
        return None
    says = 'numbers that are NaN or infinite'
    remedy = (
        "say that they are pixels without data (nodata='nan' of mmdmt.LoadNpyImage and mmdmt.LoadTiffImage, which "
        'ignores them), replace them, or take it off the list'
    )
    return Finding('image', path, f'holds {number} {says}', remedy, f'hold {says}', f'{number}')


def image_depth(path: str, content: ImageContent | None, loader: object, loaded: NDArray[np.generic]) -> Finding | None:
    """Find an image of which loading drops bits, as may be intended while enough of them are left.

    Of 12 bits stored in 16, the 4 that are left are nearly black.
    """
    cuts = isinstance(loader, LoadImageFromFile) and loader.color_type != 'unchanged'
    bits = 8 if cuts else 8 * loaded.dtype.itemsize
    if content is None or content.bits <= bits:
        return None
    highest = loaded.max(initial=0)
    white = cuts and loaded.size and (loaded == 255).mean() > _NEARLY_WHITE
    says = f'{content.bits} bits a channel, but is loaded with {bits}'
    return Finding(
        'image',
        path,
        f'has {says}, in which {"most of it is white" if white else f"its highest value is {highest}"}',
        "load them with LoadImageFromFile(color_type='unchanged', imdecode_backend='cv2'), or convert them to 8 bits",
        f'have {says.replace("is loaded", "are loaded")}',
        f'up to {highest}',
        stops=bool(white) or 0 < highest < _NEARLY_BLACK,
    )


def image_bands(path: str, content: ImageContent | None, loaded: NDArray[np.generic]) -> Finding | None:
    """Find an image of which loading drops pages, or channels beside transparency."""
    if content is None:
        return None
    kept = 1 if loaded.ndim == 2 else loaded.shape[2]
    if content.channels <= max(kept, 3) or content.mode.startswith('CMYK'):
        return _pages('image', path, content)
    says = f'has {content.channels} channels, of which {kept} are loaded'
    remedy = (
        "load all with LoadImageFromFile(color_type='unchanged') and as many values of mean and std, if they are more "
        'than transparency'
    )
    return Finding('image', path, says, remedy, stops=False)


def image_planes(path: str, content: ImageContent | None, loader: object) -> Finding | None:
    """Find a TIFF that holds its bands one after the other: other loaders read one band, or mix them up."""
    if content is None or not content.planes or type(loader).__name__ == 'LoadTiffImage':
        return None
    backend = loader.imdecode_backend if isinstance(loader, LoadImageFromFile) else ''
    if backend != 'tifffile' and content.channels == 3 and content.bits == 8:
        return None  # which OpenCV and Pillow put together
    says = f"holds {content.channels} bands one after the other (planarconfig='separate')"
    remedy = "load them with dict(type='mmdmt.LoadTiffImage'), or write them pixel by pixel (planarconfig='contig')"
    return Finding('image', path, says, remedy)


def image_turned(
    path: str, content: ImageContent | None, loader: object, image: tuple[int, ...], mask: tuple[int, ...]
) -> Finding | None:
    """Find an image that its EXIF orientation turns when it is loaded, where sizes do not show that the mask fits."""
    if content is None or content.orientation == 1 or not turns(loader):
        return None
    if content.orientation > 4 and image[0] != image[1] and image[:2] == mask[:2]:
        return None  # the mask was drawn over the turned image
    return Finding(
        'image',
        path,
        f'has EXIF orientation {content.orientation}: it is turned when it is loaded, its mask is not',
        "look whether they fit (check_data.py --draw); if not, set color_type='color_ignore_orientation' of "
        'LoadImageFromFile, or store images upright without EXIF',
        'have an EXIF orientation: they are turned when they are loaded, their masks are not',
        f'orientation {content.orientation}',
        stops=False,
    )


def turns(loader: object) -> bool:
    """Whether a transform turns the images that it loads as their EXIF orientation says."""
    return (
        isinstance(loader, LoadImageFromFile)
        and loader.color_type in ('color', 'grayscale')
        and loader.imdecode_backend in ('cv2', 'pillow')
    )


def _pages(what: str, path: str, content: ImageContent | None) -> Finding | None:
    if content is None or content.pages == 1:
        return None
    says = f'has {content.pages} pages, of which the first is loaded'
    return Finding(what, path, says, 'write one file a page, or one page of several channels', stops=False)

"""Read from the content of an image file what it holds; its name says nothing."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import ExifTags, Image, PpmImagePlugin, TiffImagePlugin

_BITS = {'1': 1, 'I': 32, 'F': 32}
_TIFF = (b'II*\0', b'MM\0*', b'II+\0', b'MM\0+')
_PLANES = TiffImagePlugin.PLANAR_CONFIGURATION
_PNG = b'\x89PNG\r\n\x1a\n'
_NPY = b'\x93NUMPY'


@dataclass(frozen=True)
class ImageContent:
    """What the header of an image file says.

    Args:
        mode: As Pillow names it, such as ``'I;16'``, or ``'uint16 with 5 channels'`` where it cannot.
        bits: Of a channel.
        channels: How many; 1 of a file with a palette.
        orientation: Of EXIF, 1 to 8; 1 is as stored.
        pages: Of a TIFF, of which loaders read the first alone. Defaults to 1.
        planes: Whether a TIFF holds its channels one after the other rather than pixel by pixel. Defaults to False.
        size: Height and width as they are stored; zeros if they are not known.
    """

    mode: str
    bits: int
    channels: int
    orientation: int
    pages: int = 1
    planes: bool = False
    size: tuple[int, int] = (0, 0)


def read_content(source: bytes | Path) -> ImageContent | None:
    """Read what an image file holds, from its header; a file that Pillow does not know is decoded by OpenCV."""
    try:
        if isinstance(source, Path):
            with source.open('rb') as file:
                begin = file.read(25)
        else:
            begin = source[:25]
        if begin.startswith(_NPY):
            return _of_array(source)
        with Image.open(source if isinstance(source, Path) else io.BytesIO(source)) as image:
            return _of_header(image, begin)
    except Image.DecompressionBombError:
        return None  # told where it is loaded
    except (OSError, ValueError, SyntaxError):
        pass
    data = source.read_bytes() if isinstance(source, Path) and source.is_file() else source
    if not data or isinstance(data, Path):
        return None
    if data[:4] in _TIFF:
        return _of_tiff(data)
    array = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if array is None:
        return None
    channels = 1 if array.ndim == 2 else array.shape[2]
    mode = f'{array.dtype} with {channels} channel{"s" if channels > 1 else ""}'
    return ImageContent(mode, 8 * array.dtype.itemsize, channels, 1, size=array.shape[:2])


def _of_array(source: bytes | Path) -> ImageContent | None:
    with source.open('rb') if isinstance(source, Path) else io.BytesIO(source) as file:
        read = np.lib.format.read_array_header_1_0 if np.lib.format.read_magic(file) == (1, 0) else None
        if read is None:
            return None
        shape, _, dtype = read(file)
    if len(shape) not in (2, 3):
        return None
    channels = shape[2] if len(shape) == 3 else 1
    return ImageContent(f'{dtype} array', 8 * dtype.itemsize, channels, 1, size=(shape[0], shape[1]))


def _of_header(image: Image.Image, data: bytes) -> ImageContent:
    mode, channels, pages, planes = image.mode, len(image.getbands()), 1, False
    bits = 16 if mode.startswith('I;16') else _BITS.get(mode, 8)
    if data.startswith(_PNG):
        bits = data[24]  # Pillow opens 16 bits of color as RGB of 8
        mode = mode if bits <= 8 or channels == 1 else f'{mode};{bits}'
    elif isinstance(image, TiffImagePlugin.TiffImageFile):
        depths = image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE) or (bits,)
        bits = max(depths) if isinstance(depths, tuple) else depths
        channels = image.tag_v2.get(TiffImagePlugin.SAMPLESPERPIXEL, channels)
        pages, planes = image.n_frames, channels > 1 and image.tag_v2.get(_PLANES) == 2
    elif isinstance(image, PpmImagePlugin.PpmImageFile):
        decoder: Any = image.tile[0].args
        bits = decoder[-1].bit_length() if isinstance(decoder, tuple) else 16 if '16' in decoder else bits
    # Not the method of PngImageFile, which decodes the whole image if its header has no EXIF.
    orientation = Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1)
    return ImageContent(
        mode, bits, channels, orientation if orientation in range(1, 9) else 1, pages, planes, image.size[::-1]
    )


def _of_tiff(data: bytes) -> ImageContent | None:
    try:
        file = io.BytesIO(data)
        tags = TiffImagePlugin.ImageFileDirectory_v2(file.read(16 if data[2:4] in (b'+\0', b'\0+') else 8))
        file.seek(tags.next)
        tags.load(file)
        channels, depths = tags.get(TiffImagePlugin.SAMPLESPERPIXEL, 1), tags.get(TiffImagePlugin.BITSPERSAMPLE, 1)
    except Exception:  # whatever a damaged directory makes Pillow stumble over
        return None
    bits = max(depths) if isinstance(depths, tuple) else depths
    mode = f'{bits} bits with {channels} channel{"s" if channels > 1 else ""}'
    size = int(tags.get(TiffImagePlugin.IMAGELENGTH, 0)), int(tags.get(TiffImagePlugin.IMAGEWIDTH, 0))
    return ImageContent(mode, bits, channels, 1, planes=channels > 1 and tags.get(_PLANES) == 2, size=size)

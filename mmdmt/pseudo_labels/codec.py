"""A pseudo label and its confidence, as bytes.

A file is a header (magic, format version, checksum), then the height and width, then three planes of one byte a pixel:
the low bytes of the confidence as they are, and, deflated, the labels and the high bytes.

A confidence is stored as its level (see `confidence_levels`), and a level as its difference from what its left, upper
and upper-left neighbours predict. The logits of a segmentor are interpolated from a coarser grid, so the confidence
is smooth, and the difference mostly fits into the low byte. Where the network is trained well, that byte is nearly
incompressible: to deflate it, too, would save little, and take about as long as all the rest. Labels and high bytes are
long runs of equal values: a search for runs alone is as fast as deflate's fastest, and packs them about as tightly as
its most thorough one.
"""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from mmdmt.pseudo_labels.confidence_levels import dequantize, quantize

_MAGIC = b'DMTP'
_FORMAT_VERSION = 1
_HEADER = struct.Struct('<4sHI')  # magic, format version, CRC-32 of all that follows
_SHAPE = struct.Struct('<II')  # height, width

# Added to the differences before they are split, so that small ones of either sign have the high byte zero.
_CENTRE = 128


def encode(label: NDArray[np.uint8], confidence: NDArray[np.float32]) -> bytes:
    """Pack a pseudo label with its confidence.

    Args:
        label: Class of each pixel, uint8 of shape (H, W). Any value is kept as it is.
        confidence: Max softmax probability of each pixel, float32 of shape (H, W), in [0, 1]. It is rounded down to the
            lower edge of its level.

    Returns:
        The bytes that `decode` reads.

    Raises:
        ValueError: If a dtype or shape is another, or a confidence is NaN or outside [0, 1].
    """
    if label.dtype != np.uint8 or label.ndim != 2:
        raise ValueError(f'a label map is uint8 of shape (H, W), not {label.dtype} of shape {label.shape}.')
    if confidence.shape != label.shape:
        raise ValueError(f'the confidence map has shape {confidence.shape}, but its label map {label.shape}.')
    difference = _difference(quantize(confidence)) + np.uint16(_CENTRE)
    low, high = difference.astype(np.uint8), (difference >> 8).astype(np.uint8)
    runs = _deflate_runs(label.tobytes() + high.tobytes())
    content = _SHAPE.pack(*label.shape) + low.tobytes() + runs
    return _HEADER.pack(_MAGIC, _FORMAT_VERSION, zlib.crc32(content)) + content


def decode(data: bytes) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Unpack what `encode` packed.

    Args:
        data: The bytes of one pseudo label.

    Returns:
        The label, uint8 of shape (H, W), and the confidence, float32 of shape (H, W), both writable. The label is the
        one encoded; the confidence is the lower edge of the level of the one encoded.

    Raises:
        ValueError: If the data are no pseudo label, of another format version, truncated or damaged.
    """
    content = _checked_content(data)
    height, width = _SHAPE.unpack_from(content)
    shape, pixels = (height, width), height * width
    low = np.frombuffer(content, np.uint8, pixels, offset=_SHAPE.size)
    runs = zlib.decompress(content[_SHAPE.size + pixels :], bufsize=max(1, 2 * pixels))
    label, high = np.frombuffer(runs, np.uint8).reshape(2, pixels)
    difference = (high.astype(np.uint16) << 8 | low) - np.uint16(_CENTRE)
    levels = _integral(difference.reshape(shape))
    return label.reshape(shape).copy(), dequantize(levels)


def _difference(levels: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Subtract left + upper - upper-left neighbour (zero outside the image) from each level, modulo 2**16."""
    zero = np.uint16(0)
    return np.diff(np.diff(levels, axis=0, prepend=zero), axis=1, prepend=zero)


def _integral(difference: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Undo `_difference`."""
    return difference.cumsum(axis=0, dtype=np.uint16).cumsum(axis=1, dtype=np.uint16)


def _deflate_runs(data: bytes) -> bytes:
    """Deflate data that consist of runs of equal bytes."""
    compressor = zlib.compressobj(level=1, strategy=zlib.Z_RLE)
    return compressor.compress(data) + compressor.flush()


def _checked_content(data: bytes) -> memoryview:
    """Return what follows the header, after checking that it is what `encode` wrote."""
    if data[: len(_MAGIC)] != _MAGIC:
        raise ValueError(
            f'these {len(data)} bytes are no pseudo label: they start with {data[: len(_MAGIC)]!r}, not {_MAGIC!r}. '
            'Label this phase again.'
        )
    if len(data) < _HEADER.size:
        raise ValueError(
            f'the pseudo label is truncated: it has {len(data)} bytes, fewer than the {_HEADER.size} of its header. '
            'Label this phase again.'
        )
    _, version, checksum = _HEADER.unpack_from(data)
    if version != _FORMAT_VERSION:
        raise ValueError(
            f'the pseudo label has format version {version}, but this version of mmdmt reads version '
            f'{_FORMAT_VERSION}. Label this phase again, or use the version of mmdmt that wrote it.'
        )
    content = memoryview(data)[_HEADER.size :]
    if zlib.crc32(content) != checksum:
        raise ValueError(
            f'the pseudo label is truncated or damaged: its {len(data)} bytes have the checksum '
            f'{zlib.crc32(content):08x}, not {checksum:08x}. Label this phase again.'
        )
    return content

"""Pack a pseudo label and its confidence levels into bytes, by Zstandard.

A header (magic, format version, checksum, height and width, the lengths of the first two frames) is followed by three
planes of one byte a pixel: the labels and the high bytes of the levels, each a Zstandard frame, then the low bytes as
they are.

A level (see :mod:`mmdmt.method.confidence_levels`) is stored as its difference from what its left, upper and upper-left
neighbors predict. The logits of a segmentor are interpolated from a coarser grid, so the confidence is smooth, and the
difference mostly fits into the low byte. That byte is nearly incompressible: to compress it, too, saves at most 3 %,
and reading would take a quarter longer.

A label is written once and read in every iteration, so reading is what counts: OpenCV's integral image sums the
differences, and takes bytes as they come.
"""

import struct
import zlib

import cv2
import numpy as np
import zstandard
from numpy.typing import NDArray

from mmdmt.method.confidence_levels import NUM_LEVELS

_MAGIC = b'DMTP'
_FORMAT_VERSION = 3
_HEADER = struct.Struct('<4sHI')  # magic, format version, CRC-32 of all that follows
_SIZES = struct.Struct('<IIII')  # height, width, bytes of the frame of labels, of that of high bytes

# Added to a difference before it is split, so that small ones of either sign have the high byte zero.
_CENTER = 128

# Long matches alone, found through a tiny table: both planes are either long runs or noise, and in noise short matches
# cost more than they save. Level 1 takes as long and makes the high bytes 5 to 10 % larger.
_PARAMETERS = zstandard.ZstdCompressionParameters(
    strategy=zstandard.STRATEGY_FAST, min_match=7, hash_log=6, chain_log=6, search_log=1, window_log=20
)


def encode(label: NDArray[np.uint8], levels: NDArray[np.uint16]) -> bytes:
    """Pack a pseudo label with its confidence levels; equal maps give equal bytes. Threads may call it side by side.

    Args:
        label: Class of each pixel, uint8 of shape (H, W). Any value is kept as it is.
        levels: Confidence level of each pixel, uint16 of shape (H, W), below ``NUM_LEVELS``.

    Raises:
        ValueError: If a dtype, a shape or a level is another.
    """
    if label.dtype != np.uint8 or label.ndim != 2:
        raise ValueError(f'a label map is uint8 of shape (H, W), not {label.dtype} of shape {label.shape}.')
    if levels.dtype != np.uint16 or levels.shape != label.shape:
        raise ValueError(
            f'the confidence levels of a label map {label.shape} are uint16 of that shape, not {levels.dtype} of shape '
            f'{levels.shape}.'
        )
    if levels.max(initial=0) >= NUM_LEVELS:
        raise ValueError(f'a confidence level is {levels.max()}, but levels are 0 to {NUM_LEVELS - 1}.')
    difference = _difference(levels)
    high = ((difference + np.uint16(_CENTER)) >> 8).astype(np.uint8)
    compressor = zstandard.ZstdCompressor(compression_params=_PARAMETERS)
    frames = [compressor.compress(np.ascontiguousarray(plane).data) for plane in (label, high)]
    content = b''.join([_SIZES.pack(*label.shape, *map(len, frames)), *frames, difference.astype(np.uint8).data])
    return _HEADER.pack(_MAGIC, _FORMAT_VERSION, zlib.crc32(content)) + content


def decode(data: bytes) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """Unpack what `encode` packed: label and confidence levels, writable. Threads may call it side by side.

    Raises:
        ValueError: If the data are foreign, of another format version, truncated or damaged.
    """
    content = _checked_content(data)
    height, width, *lengths = _SIZES.unpack_from(content)
    try:
        first, second = _SIZES.size + lengths[0], _SIZES.size + sum(lengths)
        label = _plane(content[_SIZES.size : first], height, width).copy()
        high = _plane(content[first:second], height, width)
        low = np.frombuffer(content[second:], np.uint8).reshape(height, width)
        levels = _sums(low, high)
        if levels.max(initial=0) >= NUM_LEVELS:
            raise ValueError(f'level {levels.max()} of {NUM_LEVELS}')
    except (ValueError, MemoryError, zstandard.ZstdError) as error:
        raise ValueError(
            f'the pseudo label says that it is {height}x{width}, but holds something else ({error}). Label this phase '
            'again.'
        ) from error
    return label, levels


def _difference(levels: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Subtract left + upper - upper-left neighbor (zero outside the image) from each level, modulo 2**16."""
    rows = levels.copy()
    rows[1:] -= levels[:-1]
    difference = rows.copy()
    difference[:, 1:] -= rows[:, :-1]
    return difference


def _sums(low: NDArray[np.uint8], high: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Undo `_difference` of differences in two bytes, the high one of the difference with `_CENTER` added."""
    if not low.size:
        return np.zeros(low.shape, np.uint16)
    # A low byte of 128 or more belongs to a difference whose own high byte is one less. Modulo 2**16 it matters neither
    # that 32 bits overflow nor in which order the bytes are added up; and NumPy shortens them to int16 in half the time
    # of uint16.
    levels = cv2.integral(high - (low >> 7))[1:, 1:].astype(np.int16).view(np.uint16)
    levels <<= 8
    levels += cv2.integral(low)[1:, 1:].astype(np.int16).view(np.uint16)
    return levels


def _plane(frame: memoryview, height: int, width: int) -> NDArray[np.uint8]:
    """Decompress a plane, read-only; nothing of its size is made before the frame says that it is of that size."""
    size = zstandard.get_frame_parameters(frame).content_size
    if size != height * width:
        raise ValueError(f'a plane of {size} bytes')
    plane = zstandard.ZstdDecompressor().decompress(frame, allow_extra_data=False) if size else b''
    return np.frombuffer(plane, np.uint8).reshape(height, width)


def _checked_content(data: bytes) -> memoryview:
    """Return what follows the header, after checking that it is what `encode` wrote."""
    again = 'Label this phase again.'
    if data[: len(_MAGIC)] != _MAGIC:
        start = data[: len(_MAGIC)]
        raise ValueError(f'these {len(data)} bytes must be a pseudo label, but they start with {start!r}. {again}')
    least = _HEADER.size + _SIZES.size
    if len(data) < least:
        raise ValueError(f'the pseudo label is truncated: it has {len(data)} bytes, its header {least}. {again}')
    _, version, checksum = _HEADER.unpack_from(data)
    if version != _FORMAT_VERSION:
        raise ValueError(
            f'the pseudo label has format version {version}, but this version of mmdmt reads version '
            f'{_FORMAT_VERSION}. {again[:-1]}, or use the version of mmdmt that wrote it.'
        )
    content = memoryview(data)[_HEADER.size :]
    if zlib.crc32(content) != checksum:
        raise ValueError(
            f'the pseudo label is truncated or damaged: its {len(data)} bytes have the checksum '
            f'{zlib.crc32(content):08x}, not {checksum:08x}. {again}'
        )
    return content

"""Pack a pseudo label and its confidence levels into bytes, by Zstandard.

A header (magic, format version, checksum, height and width, the lengths of the first two frames) is followed by three
planes of one byte a pixel: the labels and the high bytes of the levels, each a Zstandard frame, then the low bytes as
they are.

A level (see :mod:`mmdmt.method.confidence_levels`) is stored as its difference from what its left, upper and upper-left
neighbors predict, which mostly fits into the low byte. That byte is nearly incompressible: to compress it, too, saves
at most 3 %, and reading would take a quarter longer. Reading is what counts: OpenCV's integral image sums differences.
"""

import struct
import zlib

import cv2
import numpy as np
import zstandard
from numpy.typing import NDArray

_MAGIC = b'DMTP'
_FORMAT_VERSION = 3
_AGAIN = 'Label this phase again.'
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
        levels: Confidence level of each pixel, uint16 of shape (H, W).
    """
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
    content = memoryview(data)[_HEADER.size :]
    if data[: len(_MAGIC)] != _MAGIC or len(content) < _SIZES.size:
        raise ValueError(f'these {len(data)} bytes must be a pseudo label, but are foreign or cut short. {_AGAIN}')
    _, version, checksum = _HEADER.unpack_from(data)
    if version != _FORMAT_VERSION:
        raise ValueError(
            f'the pseudo label has format version {version}, but this version of mmdmt reads version '
            f'{_FORMAT_VERSION}. {_AGAIN}'
        )
    if zlib.crc32(content) != checksum:
        raise ValueError(
            f'the pseudo label is truncated or damaged: its {len(data)} bytes have the checksum '
            f'{zlib.crc32(content):08x}, not {checksum:08x}. {_AGAIN}'
        )
    height, width, *lengths = _SIZES.unpack_from(content)
    first, second = _SIZES.size + lengths[0], _SIZES.size + sum(lengths)
    label, high, low = (
        np.frombuffer(plane, np.uint8).reshape(height, width)
        for plane in (
            _decompressed(content[_SIZES.size : first]),
            _decompressed(content[first:second]),
            content[second:],
        )
    )
    return label.copy(), _sums(low, high)


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


def _decompressed(frame: memoryview) -> bytes:
    return zstandard.ZstdDecompressor().decompress(frame)

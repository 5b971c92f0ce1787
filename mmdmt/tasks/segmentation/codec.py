"""A pseudo label and its confidence, as bytes.

After a header (magic, format version, checksum) come the height and width, then three planes of one byte a pixel: the
low bytes of the confidence as they are, and, as runs of equal bytes, deflated, the labels and the high bytes.

A confidence is stored as its level (see `confidence_levels`), and a level as its difference from what its left, upper
and upper-left neighbors predict. The logits of a segmentor are interpolated from a coarser grid, so the confidence
is smooth, and the difference mostly fits into the low byte. Where the network is trained well, that byte is nearly
incompressible: to deflate it, too, would save little, and take about as long as all the rest.

A label is read in every iteration and written once, so everything is made for reading: runs are repeated, not searched,
and the differences are summed by OpenCV's integral image, which takes bytes as they come.
"""

import struct
import zlib

import cv2
import numpy as np
from numpy.typing import NDArray

from mmdmt.method.confidence_levels import dequantize, quantize

_MAGIC = b'DMTP'
_FORMAT_VERSION = 2
_HEADER = struct.Struct('<4sHI')  # magic, format version, CRC-32 of all that follows
_SHAPE = struct.Struct('<II')  # height, width
_RUNS = struct.Struct('<I')  # how many runs a plane has; 0 if it stands there as it is
_LONGEST_RUN = 2**16 - 1

# Added to the differences before they are split, so that small ones of either sign have the high byte zero.
_CENTER = 128


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
    difference = _difference(quantize(confidence)) + np.uint16(_CENTER)
    low, high = difference.astype(np.uint8), (difference >> 8).astype(np.uint8)
    runs = zlib.compress(_as_runs(label) + _as_runs(high))
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
    try:
        low = np.frombuffer(content, np.uint8, pixels, offset=_SHAPE.size).reshape(shape)
        runs = _inflated(content[_SHAPE.size + pixels :], most=2 * (_RUNS.size + 3 * pixels))
        label, runs = _from_runs(runs, pixels)
        high, runs = _from_runs(runs, pixels)
        if runs:
            raise ValueError(f'{len(runs)} bytes too many')
        confidence = dequantize(_levels(low, high.reshape(shape)))
    except (ValueError, IndexError, struct.error, zlib.error) as error:
        raise ValueError(
            f'the pseudo label says that it is {height}x{width}, but holds something else ({error}). Label this phase '
            'again.'
        ) from error
    return label.reshape(shape), confidence


def _difference(levels: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Subtract left + upper - upper-left neighbor (zero outside the image) from each level, modulo 2**16."""
    zero = np.uint16(0)
    return np.diff(np.diff(levels, axis=0, prepend=zero), axis=1, prepend=zero)


def _levels(low: NDArray[np.uint8], high: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Undo `_difference`, of differences in two bytes with `_CENTER` added."""
    height, width = low.shape
    if not low.size:
        return np.zeros(low.shape, np.uint16)
    # Modulo 2**16 it does not matter that 32 bits overflow, nor in which order bytes and centers are added up.
    levels = cv2.integral(low)[1:, 1:].astype(np.uint16)
    if high.any():
        levels += cv2.integral(high)[1:, 1:].astype(np.uint16) << np.uint16(8)
    rows, columns = (np.arange(1, side + 1, dtype=np.uint16) for side in (height, width))
    levels -= (rows * np.uint16(_CENTER))[:, None] * columns
    return levels


def _as_runs(plane: NDArray[np.uint8]) -> bytes:
    """Say a plane as runs of equal bytes, or as it is if it has too many of them."""
    flat = plane.ravel()
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    starts = np.union1d(changes, np.arange(0, flat.size, _LONGEST_RUN))
    if 3 * starts.size >= flat.size:
        return _RUNS.pack(0) + flat.tobytes()
    lengths = np.diff(starts, append=flat.size).astype(np.uint16)
    return _RUNS.pack(starts.size) + lengths.tobytes() + flat[starts].tobytes()


def _from_runs(data: memoryview, pixels: int) -> tuple[NDArray[np.uint8], memoryview]:
    """Undo `_as_runs`; return the plane, writable, and what follows it."""
    (count,) = _RUNS.unpack_from(data)
    data = data[_RUNS.size :]
    if not count:
        return np.frombuffer(data, np.uint8, pixels).copy(), data[pixels:]
    lengths = np.frombuffer(data, np.uint16, count)
    values = np.frombuffer(data, np.uint8, count, offset=lengths.nbytes)
    if lengths.sum() != pixels:  # before anything of their size is made
        raise ValueError(f'runs of {lengths.sum()} pixels')
    return np.repeat(values, lengths), data[3 * count :]


def _inflated(data: memoryview, most: int) -> memoryview:
    """Inflate data to so many bytes at most, whatever they hold."""
    decompressor = zlib.decompressobj()
    inflated = decompressor.decompress(data, most + 1)
    if not decompressor.eof:
        raise ValueError(f'more than {most} bytes' if len(inflated) > most else 'deflated data without an end')
    return memoryview(inflated)


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

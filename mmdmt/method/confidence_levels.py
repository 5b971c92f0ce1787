"""Convert confidences to the integer levels in which they are counted and stored.

A trained network is sure of most pixels: 0.999999 and 0.9999999 must be kept apart, while the scale may be coarse about
0.3. So the doubt 1 - c is on a logarithmic scale: the exponent and the leading mantissa bits of a float, read as one
integer. It is counted in steps of 2**-24, the spacing of float32 just below one, rounded up; a constant is added first,
so that the smallest doubts keep a level each.

Everything is exact: for each float32 ``c`` and each level ``l``, ``c >= dequantize(l)`` if and only if
``quantize(c) >= l``. So a threshold that is a lower edge keeps the same pixels of the network's own confidences and of
the stored ones.
"""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# Leading mantissa bits that are kept: levels in each octave of doubt. More would be finer, and larger on disk.
_BITS = 10
_DROPPED_BITS = 23 - _BITS

# Steps of doubt in a confidence of zero; every float32 from one half to one is a whole number of steps.
_FULL_DOUBT = 2**24
# Added to the doubt: at this magnitude, one step is one unit of the mantissa bits that are kept.
_OFFSET = 2**_BITS
_OFFSET_CODE = (127 + _BITS) << _BITS  # the leading bits of float32(_OFFSET); 127 is the bias of its exponent

NUM_LEVELS = (24 - _BITS) * 2**_BITS + 1
"""Number of levels: 0 holds confidence zero, ``NUM_LEVELS - 1`` holds one and nothing else."""


def quantize(confidence: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Give each confidence its level, uint16 in [0, NUM_LEVELS), which never decreases as the confidence grows.

    Args:
        confidence: float32 of any shape, in [0, 1].

    Raises:
        ValueError: If the confidences are not float32, or one of them is NaN or outside [0, 1].

    Example:
        >>> quantize(np.array([0.0, 0.5, 0.999, 1.0], np.float32)).tolist()
        [0, 1024, 10152, 14336]
    """
    if confidence.dtype != np.float32:
        raise ValueError(
            f'confidences are {confidence.dtype}, but float32 is what their scale is made for: '
            'compute the softmax in float32 and store its maximum as it is.'
        )
    if not (confidence.min(initial=0) >= 0 and confidence.max(initial=0) <= 1):  # NaN fails this, too
        outside = confidence[~((confidence >= 0) & (confidence <= 1))][0]
        raise ValueError(
            f'a confidence is {outside}, but confidences are softmax probabilities in [0, 1]: '
            'look for NaN or infinity in the logits of the labeling network.'
        )
    # Both are exact: the product, because it only moves the exponent, and the floor that the cast takes.
    doubt = _FULL_DOUBT - (confidence * np.float32(_FULL_DOUBT)).astype(np.int32)
    code = (doubt + _OFFSET).astype(np.float32).view(np.uint32) >> _DROPPED_BITS
    return (_OFFSET_CODE + NUM_LEVELS - 1 - code).astype(np.uint16)


def quantize_tensor(confidence: Tensor) -> Tensor:
    """Give each float32 confidence its level, on the device where it is and without waiting for it.

    Returns:
        What `quantize` gives, int16 of the same shape, whose bits are those of uint16; -1, in uint16 65535, where a
        confidence is NaN or outside [0, 1].
    """
    inside = (confidence >= 0) & (confidence <= 1)
    doubt = _FULL_DOUBT - (confidence.where(inside, 0) * _FULL_DOUBT).int()
    code = (doubt + _OFFSET).float().view(torch.int32) >> _DROPPED_BITS
    return (_OFFSET_CODE + NUM_LEVELS - 1 - code).where(inside, -1).short()


def dequantize(levels: NDArray[np.integer]) -> NDArray[np.float32]:
    """Give each level in [0, NUM_LEVELS) its lower edge, the smallest float32 confidence it holds.

    Raises:
        IndexError: If a level is out of range.
    """
    if not (_OPENCV_LOOKS_UP_LEVELS and levels.dtype == np.uint16 and levels.ndim == 2 and levels.size):
        return LOWER_EDGES.take(levels)
    # A fifth of the time of take, which makes 64 bits of each index first.
    if (highest := levels.max()) >= NUM_LEVELS:
        raise IndexError(f'level {highest} of {NUM_LEVELS}')
    return cv2.LUT(levels, _TABLE)


def _lower_edges() -> NDArray[np.float32]:
    """Find the largest doubt of each level, which is one step short of the first doubt of the level below."""
    code_below = _OFFSET_CODE + np.arange(NUM_LEVELS, 0, -1, dtype=np.uint32)
    first_below = (code_below << _DROPPED_BITS).view(np.float32).astype(np.int64) - _OFFSET
    largest = np.minimum(first_below - 1, _FULL_DOUBT)
    edges = ((_FULL_DOUBT - largest) / _FULL_DOUBT).astype(np.float32)
    edges.setflags(write=False)
    return edges


LOWER_EDGES = _lower_edges()
"""The lower edge of every level, strictly increasing: float32 of shape (NUM_LEVELS,), read-only."""

# For every uint16, as OpenCV wants it; numbers beyond the levels stand there as NaN and are never looked up.
_TABLE = np.concatenate([LOWER_EDGES, np.full(2**16 - NUM_LEVELS, np.nan, np.float32)])


try:
    cv2.LUT(np.zeros((1, 1), np.uint16), _TABLE)
    _OPENCV_LOOKS_UP_LEVELS = True  # OpenCV has tables for 16 bits from 5.0 on (opencv/opencv#27890)
except cv2.error:
    _OPENCV_LOOKS_UP_LEVELS = False

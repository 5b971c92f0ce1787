"""Calibrate probabilities by one temperature, and measure how reliable they are."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

COLDEST, HOTTEST = 0.05, 20.0
_HALVINGS = 40
BINS = 10


class Calibration(NamedTuple):
    """How probabilities relate to the truth.

    Attributes:
        temperature: Logits divided by it have the highest likelihood.
        error: Mean gap between confidence and accuracy over the bins, before.
        calibrated_error: The same after.
        bins: float64 (BINS, 3), of calibrated confidences from 0 to 1: share of the pixels, their mean confidence, and
            how many of them are right; NaN in empty bins.
    """

    temperature: float
    error: float
    calibrated_error: float
    bins: NDArray[np.float64]


def calibrate(logits: NDArray[np.floating], truth: NDArray[np.integer]) -> Calibration:
    """Find the temperature of the highest likelihood, for logits or log-probabilities (pixels, classes).

    Its inverse has a convex loss, whose slope is followed to zero by halving. Guo et al., "On Calibration of Modern
    Neural Networks", ICML 2017, https://arxiv.org/abs/1706.04599.

    Raises:
        ValueError: If there are no pixels.
    """
    if not truth.size:
        raise ValueError('No pixel of the validation images has a label: give val_dataloader images with masks.')
    given = np.asarray(logits, np.float64)
    own = given[np.arange(len(truth)), truth].mean()
    low, high = np.log([1 / HOTTEST, 1 / COLDEST])
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        slope = (_softmax(given * np.exp(middle)) * given).sum(axis=1).mean() - own
        low, high = (middle, high) if slope < 0 else (low, middle)
    temperature = float(np.exp(-(low + high) / 2))
    before, _ = _reliability(_softmax(given), truth)
    after, bins = _reliability(_softmax(given / temperature), truth)
    return Calibration(temperature, before, after, bins)


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers: NDArray[np.float64] = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _reliability(probability: NDArray[np.float64], truth: NDArray[np.integer]) -> tuple[float, NDArray[np.float64]]:
    confidence, right = probability.max(axis=1), probability.argmax(axis=1) == truth
    place = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    number, sure, hits = (np.bincount(place, weights, BINS) for weights in (None, confidence, right))
    with np.errstate(invalid='ignore'):
        bins = np.stack([number / len(truth), sure / number, hits / number], axis=1)
    return float(np.abs(sure - hits).sum() / len(truth)), bins

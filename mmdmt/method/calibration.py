"""Calibrate probabilities by one temperature, and measure how reliable they are."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

COLDEST, HOTTEST = 0.05, 20.0
_HALVINGS = 40
BINS = 10
#: Temperatures that counts are taken at, 1 among them.
TEMPERATURES: tuple[float, ...] = tuple(1.1**power for power in range(-5, 16))


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
    before, after = count_confidence(given, truth, (1.0, temperature))
    return Calibration(temperature, reliability(before)[0], *reliability(after))


def count_confidence(
    logits: NDArray[np.floating], truth: NDArray[np.integer], temperatures: Sequence[float] = TEMPERATURES
) -> NDArray[np.float64]:
    """Count confidences, to be added up over batches.

    Args:
        logits (NDArray): Or log-probabilities, (pixels, classes).
        truth (NDArray): Labels, (pixels,), all of them classes.
        temperatures (Sequence[float]): What the logits are divided by. Defaults to 21 from 0.62 to 4.2.

    Returns:
        NDArray: float64 (temperatures, BINS, 4): the number of pixels of each bin, the sum of their confidences, how
        many of them are right, and the sum of -log of the probability of their labels.
    """
    number = len(temperatures)
    probability = _softmax(np.asarray(logits, np.float64) / np.reshape(temperatures, (-1, 1, 1)))
    confidence, right = probability.max(axis=2), probability.argmax(axis=2) == truth
    loss = -np.log(probability[:, np.arange(len(truth)), truth].clip(np.finfo(np.float64).tiny))
    place = np.minimum((confidence * BINS).astype(np.int64), BINS - 1) + BINS * np.arange(number)[:, None]
    columns = (np.ones_like(loss), confidence, right, loss)
    counts = [np.bincount(place.ravel(), column.ravel(), number * BINS) for column in columns]
    return np.stack(counts, axis=1, dtype=np.float64).reshape(number, BINS, len(columns))


def reliability(counts: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Return the calibration error and the bins, as :class:`Calibration` has them, of counts at one temperature."""
    number, sure, hits, _ = counts.T
    with np.errstate(invalid='ignore'):
        bins = np.stack([number / number.sum(), sure / number, hits / number], axis=1)
    return float(np.abs(sure - hits).sum() / number.sum()), bins


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers: NDArray[np.float64] = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)

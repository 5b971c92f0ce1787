"""Compare the confidence of peers and ensemble with their accuracy, over a validation."""

from typing import Any

import numpy as np
from mmengine.dist import all_gather_object, get_rank, get_world_size
from numpy.typing import NDArray

from mmdmt.method.calibration import TEMPERATURES, count_confidence, reliability
from mmdmt.models.names import ENSEMBLE

COUNTED = 256
"""Pixels of an image, spread over those that have a label."""
_GOLDEN = (5**0.5 - 1) / 2  # its multiples fall in line with no row of pixels
_DIGITS = 4


class ConfidenceCounts:
    """Counts of :func:`~mmdmt.method.calibration.count_confidence`; their memory does not grow with the images."""

    def __init__(self) -> None:
        self._images = 0
        self._sums: dict[str, NDArray[np.float64]] = {}
        self._last: dict[str, NDArray[np.float64]] = {}  # of the last image, which may be there twice

    def add(self, sample: dict[str, Any], ignored: int | None) -> None:
        """Count an image with a label; others, and models of one channel, count nothing."""
        self._images += 1
        self._last = {}
        for name, prediction in sample['peers'].items():
            logits, truth = _scores(prediction, sample)
            if logits is None or truth is None or len(logits) < 2:
                continue
            known = np.flatnonzero((truth >= 0) & (truth < len(logits)) & (truth != ignored))
            if known.size > COUNTED:
                known = known[(np.arange(COUNTED) * _GOLDEN % 1 * known.size).astype(np.int64)]
            if known.size:
                temperatures = TEMPERATURES if name == ENSEMBLE else (1.0,)
                found, labels = logits[:, known].T.float().cpu().numpy(), truth[known]
                finite = np.isfinite(found).all(axis=1)
                self._last[name] = count_confidence(found[finite], labels[finite], temperatures)
                self._sums[name] = self._sums.get(name, 0) + self._last[name]

    def results(self, size: int) -> dict[str, dict[str, Any]]:
        """Return what every peer and the ensemble have over ``size`` images; every process has to call it.

        Returns:
            dict: By name ``error``, the calibration error, and ``bins``: share, mean confidence and accuracy of each
            that is not empty. Of the ensemble also ``temperature``, of the highest likelihood, and with it
            ``calibrated_error`` and ``calibrated_bins``.
        """
        # A sampler fills up the last round of the processes with images that have had their turn.
        surplus = (self._images - 1) * get_world_size() + get_rank() >= size
        own = {name: one - self._last.get(name, 0) if surplus else one for name, one in self._sums.items()}
        sums: dict[str, NDArray[np.float64]] = {}
        for part in all_gather_object(own):
            for name, one in part.items():
                sums[name] = sums.get(name, 0) + one
        return {name: _described(sums[name]) for name in sorted(sums, key=lambda name: (name == ENSEMBLE, name))}


def _scores(prediction: dict[str, Any], sample: dict[str, Any]) -> tuple[Any, NDArray[np.integer] | None]:
    """Return the logits, (classes, pixels), and the labels, (pixels,), of a segmentor or a classifier."""
    if 'seg_logits' in prediction and 'gt_sem_seg' in sample:
        return prediction['seg_logits']['data'].flatten(1), sample['gt_sem_seg']['data'].cpu().numpy().ravel()
    if 'pred_score' in prediction and len(sample.get('gt_label', ())) == 1:
        return prediction['pred_score'].clamp(min=1e-12).log()[:, None], sample['gt_label'].cpu().numpy()
    return None, None


def _described(counts: NDArray[np.float64]) -> dict[str, Any]:
    plain = TEMPERATURES.index(1.0) if len(counts) > 1 else 0
    error, bins = reliability(counts[plain])
    found = {'error': round(error, _DIGITS), 'bins': _filled(bins)}
    if len(counts) > 1:
        best = int(counts[..., 3].sum(axis=1).argmin())
        error, bins = reliability(counts[best])
        found |= {'temperature': round(TEMPERATURES[best], 2), 'calibrated_error': round(error, _DIGITS)}
        found |= {'calibrated_bins': _filled(bins)}
    return found


def _filled(bins: NDArray[np.float64]) -> list[list[float]]:
    return [np.round(one, _DIGITS).tolist() for one in bins if one[0]]

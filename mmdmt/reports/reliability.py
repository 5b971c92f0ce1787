"""Gather what a report says of confidence: how sure the networks are, and how often they are right."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from mmdmt.reports.plots import QUIET, Plot, as_svg
from mmdmt.reports.run import ENSEMBLE, Run

SIZE = (4.6, 3.9)


class Reliability(NamedTuple):
    """Of a peer or the ensemble, in percent; the last three are None of peers.

    Attributes:
        color: Of its curve.
        error: Calibration error, the mean gap between confidence and accuracy.
        bins: (bins, 3): share of the predictions, mean confidence, accuracy.
        temperature: Logits divided by it have the highest likelihood.
        calibrated_error: The error after.
        calibrated: The bins after.
    """

    color: str
    error: float
    bins: Any
    temperature: float | None
    calibrated_error: float | None
    calibrated: Any


def reliability_of(run: Run, colors: Mapping[str, str]) -> dict[str, Reliability]:
    """Return what the last validation of a run tells of confidence, by predictor; nothing of older runs."""
    return {
        name: Reliability(
            colors.get(name, QUIET),
            100 * one['error'],
            100 * np.array(one['bins'], float),
            one.get('temperature'),
            100 * one['calibrated_error'] if 'calibrated_error' in one else None,
            100 * np.array(one['calibrated_bins']) if 'calibrated_bins' in one else None,
        )
        for name, one in run.reliability.items()
    }


def draw_reliability(identity: str, found: Mapping[str, Reliability]) -> Plot | None:
    """Draw accuracy over confidence, and below it how many pixels are how sure; None without any."""
    if not found:
        return None
    alt = (f'{name}: calibration error {one.error:.1f} %.' for name, one in found.items())
    title = 'Accuracy over confidence, and the share of the predictions (%)'
    return Plot(title, as_svg(identity, SIZE, lambda figure: _fill(figure, found)), f'{title}. {" ".join(alt)}')


def _fill(figure: Figure, found: Mapping[str, Reliability]) -> None:
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.plot([0, 100], [0, 100], color=QUIET, linewidth=1, linestyle='--')
    for name, one in found.items():
        front = name == ENSEMBLE
        share, confidence, accuracy = one.bins.T
        style = {'color': one.color, 'linewidth': 1.9 if front else 1.3, 'zorder': 3 if front else 2}
        upper.plot(confidence, accuracy, marker='o', markersize=3.2, **style)
        if one.calibrated is not None:
            upper.plot(*one.calibrated.T[1:], color=one.color, linewidth=1.3, linestyle=':')
        lower.plot(confidence, share, marker='o', markersize=2.6, **style)
    for axes in (upper, lower):
        axes.set_xlim(0, 101)
    upper.set_ylim(0, 101)
    lower.set_ylim(bottom=0)

"""Draw curves over iterations as inline SVG."""

import io
import math
import re
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from mmdmt.reports.run import ENSEMBLE, PhaseSpan

# Told apart by those who see colors otherwise, too, and on white as on black.
PEER_COLORS = ('#2b7fd4', '#e07b2a', '#149579', '#8f63d2', '#b08d13', '#7d6a5c')
ENSEMBLE_COLOR = '#cf3b74'
EXPERIMENT_COLORS = ('#3e63b8', '#c0622b', '#2c8c57', '#9a4fa8', '#97850f', '#4b8fa5', '#b54757', '#6b7280')
QUIET = '#808890'  # axes and grid; the page's own style colors the text
SIZES = {'wide': (10.2, 3.3), 'small': (4.6, 2.4), 'narrow': (4.0, 3.2)}
# Text stays text, in the fonts of the page.
STYLE = {
    **{'svg.fonttype': 'none', 'font.size': 9, 'figure.facecolor': 'none', 'axes.facecolor': 'none'},
    **{'axes.spines.left': False, 'axes.spines.right': False, 'axes.spines.top': False, 'axes.edgecolor': QUIET},
    **{'axes.grid': True, 'axes.grid.axis': 'y', 'axes.axisbelow': True, 'axes.ymargin': 0.14},
    **{'grid.color': QUIET, 'grid.alpha': 0.25, 'grid.linewidth': 0.6},
    **{f'{axis}tick.{key}': value for axis in 'xy' for key, value in (('color', QUIET), ('major.size', 3))},
}


class Curve(NamedTuple):
    """A line of a plot, with a band around it where there are deviations."""

    label: str
    color: str  # #rrggbb
    steps: Sequence[int]
    values: Sequence[float]  # NaN leaves a gap
    deviations: Sequence[float] = ()  # half the height of the band at each step


class Plot(NamedTuple):
    """A drawing with its title and what it shows in words; of a wide one also the drawing for a narrow screen."""

    title: str
    svg: str
    alt: str
    narrow: str = ''


def colors_of(peers: Sequence[str]) -> dict[str, str]:
    """Give every peer a color of its own, and the ensemble its one."""
    colors = {name: PEER_COLORS[number % len(PEER_COLORS)] for number, name in enumerate(peers)}
    return {**colors, ENSEMBLE: ENSEMBLE_COLOR}


def thin(steps: Sequence[int], values: Sequence[float], most: int = 600) -> tuple[list[int], list[float]]:
    """Bring a long curve to at most so many points, each the mean of as many neighbors, at the last one's step."""
    length = math.ceil(len(steps) / most)
    if length < 2:
        return list(steps), list(values)
    parts = [range(start, min(start + length, len(steps))) for start in range(0, len(steps), length)]
    return [steps[part[-1]] for part in parts], [fmean(values[i] for i in part) for part in parts]


def draw(
    identity: str,
    title: str,
    unit: str,
    curves: Sequence[Curve],
    phases: Sequence[PhaseSpan] = (),
    size: str = 'small',
    until: int = 0,
) -> Plot | None:
    """Draw curves over iterations, with every other phase shaded; None without a finite value.

    Args:
        identity: Of the plot, unique within the page: letters, digits and dashes.
        title: What the values are.
        unit: Their unit; ``''`` for none.
        curves: Those without a finite value are left out.
        phases: Defaults to none.
        size: ``'wide'`` or ``'small'``.
        until: The iteration up to which to draw, if the curves end before it.
    """
    curves = [curve for curve in curves if any(map(math.isfinite, curve.values))]
    if not curves:
        return None
    titled = f'{title} ({unit})' if unit else title
    svg = _drawn(identity, curves, phases, size, until)
    narrow = _drawn(f'{identity}-narrow', curves, phases, 'narrow', until) if size == 'wide' else ''
    alt = f'{titled} over iterations. ' + ' '.join(_tell(curve) for curve in curves)
    return Plot(titled, svg, alt, narrow)


def _drawn(identity: str, curves: Sequence[Curve], phases: Sequence[PhaseSpan], size: str, until: int) -> str:
    def fill(figure: Figure) -> None:
        axes = figure.add_subplot()
        last = max(until, *(step for curve in curves for step in curve.steps))
        _draw_phases(axes, phases, last)
        for curve in curves:
            _draw_curve(axes, curve)
        axes.set_xlim(0, last * 1.01 or 1)
        axes.xaxis.set_major_formatter(EngFormatter(sep=''))
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(5))
        if size != 'small':
            place = 'outside right upper' if size == 'wide' else 'outside upper left'
            lines, labels = axes.get_legend_handles_labels()
            figure.legend(lines, labels, loc=place, frameon=False, ncols=1 if size == 'wide' else min(len(labels), 3))

    return as_svg(identity, SIZES[size], fill)


def as_svg(identity: str, size: tuple[float, float], fill: Callable[[Figure], None]) -> str:
    """Draw for a page: ``fill`` adds axes to an empty figure of a size in inches."""
    with mpl.rc_context({**STYLE, 'svg.hashsalt': identity}):  # the same report of the same run
        figure = Figure(figsize=size, layout='constrained')
        canvas = FigureCanvasSVG(figure)
        fill(figure)
        text = io.StringIO()
        canvas.print_svg(text, metadata=dict.fromkeys(('Creator', 'Date', 'Format', 'Type')))
    return _embed(text.getvalue(), identity)


def _draw_phases(axes: mpl.axes.Axes, phases: Sequence[PhaseSpan], last: int) -> None:
    for phase in phases if len(phases) > 1 else ():
        if phase.start >= last and phase.index:
            break  # not reached
        if phase.index % 2:
            axes.axvspan(phase.start, phase.stop, color=QUIET, alpha=0.1, linewidth=0)
        if phase.index:
            axes.axvline(phase.start, color=QUIET, linewidth=0.7, alpha=0.6)
        name = str(phase.index) if phase.index else 'phase 0'
        place: dict[str, Any] = {'xycoords': ('data', 'axes fraction'), 'textcoords': 'offset points', 'va': 'top'}
        axes.annotate(name, xy=(phase.start, 1), xytext=(3, -3), fontsize=7.5, **place)


def _draw_curve(axes: mpl.axes.Axes, curve: Curve) -> None:
    front = curve.label == ENSEMBLE
    style: dict[str, Any] = {'marker': 'o' if len(curve.steps) <= 40 else None, 'markersize': 2.6}
    style |= {'linewidth': 1.9, 'zorder': 3} if front else {'linewidth': 1.5, 'zorder': 2}
    values = np.array([float(f'{value:.4g}') for value in curve.values])  # a constant with noise is a constant
    axes.plot(curve.steps, values, color=curve.color, label=curve.label, **style)
    if curve.deviations:
        band = np.array(curve.deviations)
        axes.fill_between(curve.steps, values - band, values + band, color=curve.color, alpha=0.18, linewidth=0)


def _tell(curve: Curve) -> str:
    finite = [(step, value) for step, value in zip(curve.steps, curve.values, strict=True) if math.isfinite(value)]
    (first_step, first), (last_step, last) = finite[0], finite[-1]
    return f'{curve.label}: {first:.4g} at iteration {first_step}, {last:.4g} at iteration {last_step}.'


def _embed(svg: str, identity: str) -> str:
    """Take the drawing out of its document, with ids that no other drawing of the page has."""
    svg = svg[svg.index('<svg') :]
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf'\g<1>{identity}-', svg)
    return re.sub(r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', r'<svg \1 role="presentation">', svg, count=1)

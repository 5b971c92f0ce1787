"""Color labels, and lay pictures out in rows on a sheet, with titles and a legend."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from mmdmt.atomic_write import atomic_write
from mmdmt.visualization.visible_image import visible

PANEL = 2.0, 3.5  # inches, the longer side: at least, at most
DPI = 120
HEADING, LINE, GAP, NAME = 0.3, 0.2, 0.08, 1.3  # inches
WEIGHTS = 'viridis'
#: Shades of the stripes beside the classes. A plain color would look like that of some class.
LIGHT, DARK = 245, 175
_STRIPES = 60  # along the longer side

Panel = tuple[str, np.ndarray]
"""A title, of one line or more, and a picture: (H, W, 3) uint8, RGB, at the resolution of the sheet."""


def sheet(
    path: Path, rows: Sequence[Sequence[Panel]], legend: Sequence[Patch], title: str = '', weights: bool = False
) -> np.ndarray:
    """Draw rows of pictures, those that hold one, and write the sheet as a picture; return it.

    The legend may have a bar of the colors of weights.
    """
    rows = [row for row in rows if row]
    widths = [sum(picture.shape[1] / DPI + GAP for _, picture in row) + GAP for row in rows]
    heights = [max(picture.shape[0] for _, picture in row) / DPI for row in rows]
    titles = [LINE * max(1 + name.count('\n') for name, _ in row) for row in rows]
    size_x, heading = max(*widths, 3.0), HEADING if title else GAP
    per_line = max(1, int(size_x / NAME))
    below = LINE * -(-len(legend) // per_line) + (0.5 if weights else 0.15)
    size_y = heading + sum(heights) + sum(titles) + below
    figure = Figure(figsize=(size_x, size_y), dpi=DPI)
    figure.text(GAP / size_x, 1 - heading / 2 / size_y, title, fontsize=9, weight='bold', va='center')
    bottom = size_y - heading
    for above, height, row in zip(titles, heights, rows, strict=True):
        bottom -= above + height
        left = GAP
        for name, picture in row:
            across, down = picture.shape[1] / DPI, picture.shape[0] / DPI
            place = (left / size_x, (bottom + height - down) / size_y, across / size_x, down / size_y)
            axis = figure.add_axes(place)
            axis.imshow(picture, interpolation='antialiased', aspect='auto')
            axis.set_title(name, fontsize=7, pad=3)
            axis.set(xticks=[], yticks=[])
            left += across + GAP
    figure.legend(handles=legend, loc='lower center', ncols=per_line, fontsize=7, frameon=False)
    if weights:
        bar = figure.add_axes((0.35, (below - 0.22) / size_y, 0.3, 0.08 / size_y))
        figure.colorbar(ScalarMappable(cmap=WEIGHTS), cax=bar, orientation='horizontal')
        bar.tick_params(labelsize=6, length=2, pad=1)
        bar.text(-0.02, 0.5, 'weight', fontsize=7, ha='right', va='center', transform=bar.transAxes)
    return write_figure(path, figure)


def write_figure(path: Path, figure: Figure) -> np.ndarray:
    """Write a figure as a picture; return it, (H, W, 3) uint8, RGB."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as unfinished:
        unfinished.write_bytes(cv2.imencode(path.suffix or '.png', drawn[..., ::-1])[1].tobytes())
    return drawn


def panel_size(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the width and height at which an image of (height, width, ...) is drawn."""
    scale = np.clip(max(shape[:2]), *np.multiply(PANEL, DPI)) / max(shape[:2])
    return max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale))


def scaled(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Scale an image, BGR or of other bands and bits, for a sheet, and order its colors as matplotlib has them."""
    small = max(image.shape[:2]) < max(size)
    return cv2.resize(visible(image), size, interpolation=cv2.INTER_NEAREST if small else cv2.INTER_AREA)[..., ::-1]


def resized(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Scale labels, weights or the like for a sheet, each pixel as its nearest neighbor."""
    return cv2.resize(values, size, interpolation=cv2.INTER_NEAREST)


def colored(label: np.ndarray, palette: Sequence[Sequence[int]], size: tuple[int, int]) -> np.ndarray:
    """Scale integer labels, (H, W), and give each pixel the color of its class, or stripes without one; uint8, RGB."""
    colors = np.zeros((256, 3), np.uint8)
    colors[: len(palette)] = palette
    label = resized(label.astype(np.uint8), size)
    return striped(colors[label], label < len(palette))


def striped(picture: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Cover a picture, (H, W, 3) uint8, with stripes where nothing is known, by a bool map (H, W)."""
    height, width = known.shape
    diagonals = np.arange(height)[:, None] + np.arange(width)
    stripes = np.where(diagonals // max(1, max(height, width) // _STRIPES) % 2, LIGHT, DARK).astype(np.uint8)
    return np.where(known[..., None], picture, stripes[..., None])


def legend_patches(classes: Sequence[str], palette: Sequence[Sequence[int]], stripes: str | None = None) -> list[Patch]:
    """Return what a legend shows of classes, outlined so that white ones are seen."""
    patches = [
        Patch(facecolor=np.divide(color, 255), edgecolor='0.5', linewidth=0.5, label=name)
        for name, color in zip(classes, palette, strict=True)
    ]
    if stripes is not None:
        light, dark = (str(shade / 255) for shade in (LIGHT, DARK))
        patches.append(Patch(facecolor=light, edgecolor=dark, hatch='//////', label=stripes))
    return patches

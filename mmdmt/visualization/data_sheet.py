"""Draw a sheet of images with their masks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmdmt.visualization.label_colors import colored, legend_patches
from mmdmt.visualization.sheet import Panel, panel_size, resized, scaled, sheet

_OPACITY = 0.6


@dataclass(frozen=True)
class AnnotatedImage:
    """An image to draw.

    Args:
        title: What stands above it.
        image: (H, W, 3) uint8, BGR, or of other bands and bits; see
            :func:`~mmdmt.visualization.visible_image.visible`.
        mask: (H, W) class ids; all other ids are striped.
    """

    title: str
    image: np.ndarray
    mask: np.ndarray


def draw_data(
    path: Path,
    images: Sequence[AnnotatedImage],
    classes: Sequence[str],
    palette: Sequence[Sequence[int]],
    columns: int = 3,
    striped: str = 'ignored',
) -> None:
    """Draw images side by side with their masks, and write the sheet as a picture.

    Args:
        path (Path): File to write, such as a PNG.
        images (Sequence[AnnotatedImage]): At least one.
        classes (Sequence[str]): Names for the legend.
        palette (Sequence[Sequence[int]]): RGB of each class.
        columns (int): Images in a row. Defaults to 3.
        striped (str): What stripes mean. Defaults to ``'ignored'``.
    """
    panels: list[Panel] = []
    for item in images:
        size = panel_size(item.mask.shape)
        image, mask = scaled(item.image, size), resized(item.mask.astype(np.uint8), size)
        overlay = _OPACITY * colored(mask, palette) + (1 - _OPACITY) * image
        panels += [(item.title, image), ('', overlay.astype(np.uint8))]
    rows = [panels[start : start + 2 * columns] for start in range(0, len(panels), 2 * columns)]
    sheet(path, rows, legend_patches(classes, palette, striped))

"""Color labels, and draw the legend of their classes."""

from collections.abc import Sequence

import numpy as np
from matplotlib.patches import Patch

NO_CLASS = (128, 128, 128)


def colors_of(palette: Sequence[Sequence[int]]) -> np.ndarray:
    """Return the color of every label that a uint8 can have.

    Args:
        palette (Sequence[Sequence[int]]): RGB of each class.

    Returns:
        np.ndarray: (256, 3) uint8; gray for what is not a class.
    """
    colors = np.full((256, 3), NO_CLASS, np.uint8)
    colors[: len(palette)] = palette
    return colors


def legend_patches(classes: Sequence[str], palette: Sequence[Sequence[int]]) -> list[Patch]:
    """Return what a legend shows of classes, outlined so that white ones are seen.

    Args:
        classes (Sequence[str]): Their names.
        palette (Sequence[Sequence[int]]): RGB of each.
    """
    return [
        Patch(facecolor=np.divide(color, 255), edgecolor='0.5', linewidth=0.5, label=name)
        for name, color in zip(classes, palette, strict=True)
    ]

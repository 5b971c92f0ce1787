"""Labels as colours, and the legend that says which is which."""

from collections.abc import Sequence

import numpy as np
from matplotlib.patches import Patch

NO_CLASS = (128, 128, 128)


def colours_of(palette: Sequence[Sequence[int]]) -> np.ndarray:
    """Return the colour of every label that a uint8 can have.

    Args:
        palette (Sequence[Sequence[int]]): RGB of each class.

    Returns:
        np.ndarray: (256, 3) uint8; grey for what is no class.
    """
    colours = np.full((256, 3), NO_CLASS, np.uint8)
    colours[: len(palette)] = palette
    return colours


def legend_patches(classes: Sequence[str], palette: Sequence[Sequence[int]]) -> list[Patch]:
    """Return what a legend shows of classes, outlined so that white ones are seen.

    Args:
        classes (Sequence[str]): Their names.
        palette (Sequence[Sequence[int]]): RGB of each.
    """
    return [
        Patch(facecolor=np.divide(colour, 255), edgecolor='0.5', linewidth=0.5, label=name)
        for name, colour in zip(classes, palette, strict=True)
    ]

"""Color labels, stripe what has no class, and draw the legend of both."""

from collections.abc import Sequence

import numpy as np
from matplotlib.patches import Patch

#: Shades of the stripes beside the classes. A plain color would look like that of some class.
LIGHT, DARK = 245, 175
_STRIPES = 60  # along the longer side


def colored(label: np.ndarray, palette: Sequence[Sequence[int]]) -> np.ndarray:
    """Give each pixel of integer labels, (H, W), the color of its class, and stripes where it has none; uint8, RGB."""
    colors = np.zeros((256, 3), np.uint8)
    colors[: len(palette)] = palette
    label = label.astype(np.uint8)
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

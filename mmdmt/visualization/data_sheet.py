"""Draw a sheet of images with their masks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mmdmt.atomic_write import atomic_write
from mmdmt.visualization.label_colors import colored, legend_patches
from mmdmt.visualization.visible_image import visible

#: Pixels of the longer side of a drawn image; larger ones are thinned out.
_SIDE = 400
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
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    width = max(4 * columns, 5)
    figure = Figure(figsize=(width, 2.2 * rows + 0.6), layout='constrained')
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, 2 * columns, squeeze=False).reshape(-1, 2)
    for pair in axes:
        for axis in pair:
            axis.set_axis_off()
    for pair, item in zip(axes, images, strict=False):
        step = -(-max(item.mask.shape) // _SIDE)
        image, mask = visible(item.image)[::step, ::step, ::-1], item.mask[::step, ::step]
        overlay = _OPACITY * colored(mask, palette) + (1 - _OPACITY) * image
        for axis, picture in zip(pair, (image, overlay.astype(np.uint8)), strict=True):
            axis.imshow(picture, interpolation='nearest')
        pair[0].set_title(item.title, fontsize=8, loc='left')
    patches = legend_patches(classes, palette, striped)
    figure.legend(handles=patches, loc='outside lower center', ncols=int(width / 1.2), fontsize=8, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as unfinished:
        figure.savefig(unfinished, dpi=120, format=path.suffix[1:] or 'png')

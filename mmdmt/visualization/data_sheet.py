"""Draw sheets of images with their masks, or with predictions for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmdmt.visualization.sheet import Panel, colored, legend_patches, panel_size, resized, scaled, sheet

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
        path: File to write, such as a PNG.
        images: At least one.
        classes: Names for the legend.
        palette: RGB of each class.
        columns: Images in a row. Defaults to 3.
        striped: What stripes mean. Defaults to ``'ignored'``.
    """
    panels: list[Panel] = []
    for item in images:
        size = panel_size(item.mask.shape)
        image = scaled(item.image, size)
        overlay = _OPACITY * colored(item.mask, palette, size) + (1 - _OPACITY) * image
        panels += [(item.title, image), ('', overlay.astype(np.uint8))]
    rows = [panels[start : start + 2 * columns] for start in range(0, len(panels), 2 * columns)]
    sheet(path, rows, legend_patches(classes, palette, striped))


def draw_predictions(
    path: Path,
    images: Sequence[np.ndarray],
    truths: Sequence[np.ndarray],
    predictions: Mapping[str, Sequence[np.ndarray]],
    classes: Sequence[str],
    palette: Sequence[Sequence[int]],
) -> None:
    """Draw a row for each image, with truth, predictions and where these differ, and write the sheet as a picture.

    Args:
        path: File to write, such as a PNG.
        images: (H, W, 3) uint8, BGR.
        truths: (H, W) integer labels; pixels without a class are striped.
        predictions: Of each peer, by name, (H, W) integer labels.
        classes: Names for the legend.
        palette: RGB of each class.
    """
    rows: list[list[Panel]] = []
    for number, (image, truth) in enumerate(zip(images, truths, strict=True)):
        size = panel_size(image.shape)
        labels = {name: of_peer[number] for name, of_peer in predictions.items()}
        first = next(iter(labels.values()))
        disagree = np.any([label != first for label in labels.values()], axis=0).astype(np.uint8) * 255
        colors = [(name, colored(label, palette, size)) for name, label in {'truth': truth, **labels}.items()]
        gray = ('disagreement', resized(disagree, size)[..., None].repeat(3, axis=2))
        rows.append([('image', scaled(image, size)), *colors, gray])
    unknown = any((truth.astype(np.uint8) >= len(palette)).any() for truth in truths)
    sheet(path, rows, legend_patches(classes, palette, 'ignored' if unknown else None))

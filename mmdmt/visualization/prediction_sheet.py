"""Draw a sheet of predictions: image, truth, each peer, and where the peers disagree."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mmdmt.visualization.label_colors import colored, legend_patches
from mmdmt.visualization.sheet import Panel, panel_size, resized, scaled, sheet


def draw_predictions(
    path: Path,
    images: Sequence[np.ndarray],
    truths: Sequence[np.ndarray],
    predictions: Mapping[str, Sequence[np.ndarray]],
    classes: Sequence[str],
    palette: Sequence[Sequence[int]],
) -> None:
    """Draw one row for each image and write the sheet as a picture.

    Args:
        path (Path): File to write, such as a PNG.
        images (Sequence[np.ndarray]): (H, W, 3) uint8, BGR.
        truths (Sequence[np.ndarray]): (H, W) integer labels; pixels without a class are striped.
        predictions (Mapping[str, Sequence[np.ndarray]]): Of each peer, by name, (H, W) integer labels.
        classes (Sequence[str]): Names for the legend.
        palette (Sequence[Sequence[int]]): RGB of each class.
    """
    rows: list[list[Panel]] = []
    for number, (image, truth) in enumerate(zip(images, truths, strict=True)):
        size = panel_size(image.shape)
        labels = {name: of_peer[number] for name, of_peer in predictions.items()}
        first = next(iter(labels.values()))
        disagree = np.any([label != first for label in labels.values()], axis=0).astype(np.uint8) * 255
        colors = [(name, resized(colored(label, palette), size)) for name, label in {'truth': truth, **labels}.items()]
        gray = ('disagreement', resized(disagree, size)[..., None].repeat(3, axis=2))
        rows.append([('image', scaled(image, size)), *colors, gray])
    unknown = any((truth.astype(np.uint8) >= len(palette)).any() for truth in truths)
    sheet(path, rows, legend_patches(classes, palette, 'ignored' if unknown else None))

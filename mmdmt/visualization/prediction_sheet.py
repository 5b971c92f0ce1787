"""Draw a sheet of predictions: image, truth, each peer, and where the peers disagree."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mmdmt.atomic_write import atomic_write
from mmdmt.visualization.label_colors import colored, legend_patches


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
    columns = ['image', 'truth', *predictions, 'disagreement']
    tallest = max((height / width for height, width in (image.shape[:2] for image in images)), default=1)
    unknown = any((truth.astype(np.uint8) >= len(palette)).any() for truth in truths)
    patches = legend_patches(classes, palette, 'ignored' if unknown else None)
    width = 1.5 * len(columns)
    per_line = max(1, int(width / 1.2))
    legend = 0.4 + 0.2 * -(-len(patches) // per_line)
    figure = Figure(figsize=(width, 1.5 * tallest * len(images) + legend), layout='constrained')
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(images), len(columns), squeeze=False)
    for row, image in enumerate(images):
        labels = [labels_of_peer[row] for labels_of_peer in predictions.values()]
        disagree = np.any([label != labels[0] for label in labels], axis=0)
        pictures = [image[..., ::-1], *(colored(label, palette) for label in (truths[row], *labels)), disagree]
        for axis, title, picture in zip(axes[row], columns, pictures, strict=True):
            axis.imshow(picture, cmap='gray', vmin=0, vmax=1, interpolation='nearest')
            axis.set_xticks([])
            axis.set_yticks([])
            if row == 0:
                axis.set_title(title, fontsize=9)
    figure.legend(handles=patches, loc='outside lower center', ncols=per_line, fontsize=8, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as unfinished:
        figure.savefig(unfinished, dpi=150, format=path.suffix[1:] or 'png')

"""Draw a sheet of one image in one phase: truth, predictions, pseudo labels and their weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from mmdmt.atomic_write import atomic_write
from mmdmt.visualization.label_colors import colored, legend_patches, striped
from mmdmt.visualization.visible_image import visible

PANEL = 2.0, 3.5  # inches, the longer side: at least, at most
DPI = 120
HEADING, LINE, GAP = 0.3, 0.2, 0.08  # inches
WEIGHTS = 'viridis'


@dataclass(frozen=True)
class CropView:
    """Arrays to draw of a training crop, all of its height and width.

    Args:
        labelers_view: (H, W, 3) uint8, BGR; None if labeler and learner see the same.
        learners_view: (H, W, 3) uint8, BGR.
        pseudo_labels: Of each labeler, by its name, (H, W) integer labels that it gives to the crop. Defaults to none.
        weights: Of each learner, by its name, (H, W) float32 in [0, 1]. Defaults to none.
        taught_by: For each learner its labeler. Defaults to none.
    """

    labelers_view: np.ndarray | None
    learners_view: np.ndarray
    pseudo_labels: Mapping[str, np.ndarray] = field(default_factory=dict)
    weights: Mapping[str, np.ndarray] = field(default_factory=dict)
    taught_by: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PhaseView:
    """Arrays to draw of an image, all of its height and width.

    Args:
        image: (H, W, 3) uint8, BGR, or of other bands and bits; see
            :func:`~mmdmt.visualization.visible_image.visible`.
        truth: (H, W) integer labels, or None if it is not known. Defaults to None.
        predictions: (H, W) integer labels of each peer and of the ensemble, by name. Defaults to none.
        pseudo_labels: Of each labeler, by its name, (H, W) integer labels; what is dropped is not a class. Defaults to
            none.
        weights: Of each learner, by its name, (H, W) float32 in [0, 1]. Defaults to none.
        taught_by: For each learner its labeler; where that one has dropped a label, no weight is drawn. Defaults to
            none.
        crop: Of a training crop of the image. Defaults to None.
    """

    image: np.ndarray
    truth: np.ndarray | None = None
    predictions: Mapping[str, np.ndarray] = field(default_factory=dict)
    pseudo_labels: Mapping[str, np.ndarray] = field(default_factory=dict)
    weights: Mapping[str, np.ndarray] = field(default_factory=dict)
    taught_by: Mapping[str, str] = field(default_factory=dict)
    crop: CropView | None = None


def draw_phase(
    path: Path, view: PhaseView, title: str, classes: Sequence[str], palette: Sequence[Sequence[int]]
) -> np.ndarray:
    """Draw an image in a phase and write the sheet as a picture.

    Above: image, truth, each peer and the ensemble. Below: the pseudo labels that each learner is taught, beside their
    weights. Pixels without a class are striped: ignored in the truth, dropped from pseudo labels. Below that, a
    training crop as labeler and learner see it, and what is taught of it.

    Args:
        path (Path): File to write, such as a PNG.
        view (PhaseView): What is drawn.
        title (str): Over the sheet.
        classes (Sequence[str]): Names for the legend, which holds those that are to be seen.
        palette (Sequence[Sequence[int]]): RGB of each class.

    Returns:
        np.ndarray: The sheet, (H, W, 3) uint8, RGB.
    """
    panels = _Panels(view, palette)
    rows = [row for row in (panels.predicted(), panels.taught()) if row]
    drawn = [panels]
    if view.crop is not None:
        of_crop = _Panels(_as_phase(view.crop), palette)
        rows.append([*_both_views(view.crop, of_crop.size), *of_crop.taught()])
        drawn.append(of_crop)
    sizes = [np.divide(row[0][1].shape[1::-1], DPI) for row in rows]
    labels = [label.ravel() for one in drawn for label in one.labels]
    seen = np.unique(np.concatenate(labels)) if labels else np.empty(0)
    of_legend = [number for number in range(len(classes)) if number in seen]
    patches = legend_patches(
        [classes[number] for number in of_legend],
        [palette[number] for number in of_legend],
        'dropped, ignored' if any(one.striped for one in drawn) else None,
    )
    size_x = max(len(row) * size[0] + (len(row) + 1) * GAP for row, size in zip(rows, sizes, strict=True))
    per_line = max(1, int(size_x / 1.3))
    weighed = any(one.view.weights for one in drawn)
    legend = LINE * -(-len(patches) // per_line) + (0.5 if weighed else 0.15)
    titles = [LINE * max(1 + name.count('\n') for name, _ in row) for row in rows]
    size_y = HEADING + sum(size[1] for size in sizes) + sum(titles) + legend
    figure = Figure(figsize=(size_x, size_y), dpi=DPI)
    canvas = FigureCanvasAgg(figure)
    figure.text(GAP / size_x, 1 - HEADING / 2 / size_y, title, fontsize=9, weight='bold', va='center')
    bottom = size_y - HEADING
    for height_of_title, shown, panel in zip(titles, rows, sizes, strict=True):
        bottom -= height_of_title + panel[1]
        for column, (name, picture) in enumerate(shown):
            left = GAP + column * (panel[0] + GAP)
            axis = figure.add_axes((left / size_x, bottom / size_y, panel[0] / size_x, panel[1] / size_y))
            axis.imshow(picture, interpolation='antialiased', aspect='auto')
            axis.set_title(name, fontsize=7, pad=3)
            axis.set(xticks=[], yticks=[])
    figure.legend(handles=patches, loc='lower center', ncols=per_line, fontsize=7, frameon=False)
    if weighed:
        bar = figure.add_axes((0.35, (legend - 0.22) / size_y, 0.3, 0.08 / size_y))
        figure.colorbar(ScalarMappable(cmap=WEIGHTS), cax=bar, orientation='horizontal')
        bar.tick_params(labelsize=6, length=2, pad=1)
        bar.text(-0.02, 0.5, 'weight', fontsize=7, ha='right', va='center', transform=bar.transAxes)
    canvas.draw()
    sheet = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as unfinished:
        unfinished.write_bytes(cv2.imencode(path.suffix, sheet[..., ::-1])[1].tobytes())
    return sheet


class _Panels:
    """Titles and pictures, at the resolution of the sheet."""

    def __init__(self, view: PhaseView, palette: Sequence[Sequence[int]]) -> None:
        self.view, self.palette = view, palette
        height, width = view.image.shape[:2]
        scale = np.clip(max(height, width), *np.multiply(PANEL, DPI)) / max(height, width)
        self.size = (max(1, round(width * scale)), max(1, round(height * scale)))
        self.labels = [view.truth] if view.truth is not None else []
        self.labels += [*view.predictions.values(), *view.pseudo_labels.values()]
        self.striped = any((label >= len(palette)).any() for label in self.labels)

    def predicted(self) -> list[tuple[str, np.ndarray]]:
        shown = [('image', _scaled(self.view.image, self.size))]
        if self.view.truth is not None:
            shown.append(('truth', self._colored(self.view.truth)))
        return shown + [(name, self._colored(label)) for name, label in self.view.predictions.items()]

    def taught(self) -> list[tuple[str, np.ndarray]]:
        shown = []
        for learner, labeler in self.view.taught_by.items():
            label = self.view.pseudo_labels[labeler]
            kept = label < len(self.palette)
            shown.append((self._describe(labeler, learner, label, kept), self._colored(label)))
            if learner in self.view.weights:
                weight = self.view.weights[learner]
                mean = f'mean {weight[kept].mean():.2f}' if kept.any() else ''
                colors = (ScalarMappable(cmap=WEIGHTS).cmap(self._resized(weight))[..., :3] * 255).astype(np.uint8)
                known = self._resized(kept.astype(np.uint8)) == 1
                shown.append((f'their weight for {learner}\n{mean}', striped(colors, known)))
        return shown

    def _describe(self, labeler: str, learner: str, label: np.ndarray, kept: np.ndarray) -> str:
        text = f'labels by {labeler}\n{kept.mean():.0%} kept'
        truth = self.view.truth
        if truth is None or truth.shape != label.shape:
            return text
        known = kept & (truth < len(self.palette))
        return f'{text}, {(label == truth)[known].mean():.0%} right' if known.any() else text

    def _colored(self, label: np.ndarray) -> np.ndarray:
        return colored(self._resized(label.astype(np.uint8)), self.palette)

    def _resized(self, values: np.ndarray) -> np.ndarray:
        return cv2.resize(values, self.size, interpolation=cv2.INTER_NEAREST)


def _as_phase(crop: CropView) -> PhaseView:
    return PhaseView(
        image=crop.learners_view, pseudo_labels=crop.pseudo_labels, weights=crop.weights, taught_by=crop.taught_by
    )


def _both_views(crop: CropView, size: tuple[int, int]) -> list[tuple[str, np.ndarray]]:
    if crop.labelers_view is None:
        return [('a training crop', _scaled(crop.learners_view, size))]
    return [
        ('a training crop,\nas its labeler sees it', _scaled(crop.labelers_view, size)),
        ('as its learner sees it', _scaled(crop.learners_view, size)),
    ]


def _scaled(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Scale an image for the sheet, and order its colors as matplotlib has them."""
    small = max(image.shape[:2]) < max(size)
    shown = visible(image)
    return cv2.resize(shown, size, interpolation=cv2.INTER_NEAREST if small else cv2.INTER_AREA)[..., ::-1]

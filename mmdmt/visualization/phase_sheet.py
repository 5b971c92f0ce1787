"""Draw a sheet of one image in one phase: truth, predictions, pseudo labels and their weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from mmdmt.visualization.label_colors import colors_of, legend_patches

PANEL = 2.0, 3.5  # inches, the longer side: at least, at most
DPI = 120
HEADING, LINE, GAP = 0.3, 0.2, 0.08  # inches
STRIPE = 5  # pixels
LIGHT, DARK = 245, 175  # of the stripes where there is no class
WEIGHTS = 'viridis'


@dataclass(frozen=True)
class PhaseView:
    """Arrays to draw of an image, all of its height and width.

    Args:
        image: (H, W, 3) uint8, BGR.
        truth: (H, W) integer labels, or None if it is not known. Defaults to None.
        predictions: (H, W) integer labels of each peer and of the ensemble, by name. Defaults to none.
        pseudo_labels: Of each labeler, by its name, (H, W) integer labels; what is dropped is no class. Defaults to
            none.
        weights: Of each learner, by its name, (H, W) float32 in [0, 1]. Defaults to none.
        taught_by: For each learner its labeler; where that one has dropped a label, no weight is drawn. Defaults to
            none.
    """

    image: np.ndarray
    truth: np.ndarray | None = None
    predictions: Mapping[str, np.ndarray] = field(default_factory=dict)
    pseudo_labels: Mapping[str, np.ndarray] = field(default_factory=dict)
    weights: Mapping[str, np.ndarray] = field(default_factory=dict)
    taught_by: Mapping[str, str] = field(default_factory=dict)


def draw_phase(
    path: Path, view: PhaseView, title: str, classes: Sequence[str], palette: Sequence[Sequence[int]]
) -> np.ndarray:
    """Draw an image in a phase and write the sheet as a picture.

    Above: image, truth, each peer and the ensemble. Below: the pseudo labels that each learner is taught, beside their
    weights; striped is what is no class: ignored in the truth, dropped from pseudo labels.

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
    panel = np.divide(panels.size, DPI)
    columns = max(len(row) for row in rows)
    seen = np.unique(np.concatenate([one.ravel() for one in panels.labels]))
    patches = _legend(seen, classes, palette, striped=panels.striped)
    size_x = columns * panel[0] + (columns + 1) * GAP
    per_line = max(1, int(size_x / 1.3))
    legend = LINE * -(-len(patches) // per_line) + (0.5 if view.weights else 0.15)
    titles = [LINE * max(1 + name.count('\n') for name, _ in row) for row in rows]
    size_y = HEADING + len(rows) * panel[1] + sum(titles) + legend
    figure = Figure(figsize=(size_x, size_y), dpi=DPI)
    canvas = FigureCanvasAgg(figure)
    figure.text(GAP / size_x, 1 - HEADING / 2 / size_y, title, fontsize=9, weight='bold', va='center')
    bottom = size_y - HEADING
    for height_of_title, shown in zip(titles, rows, strict=True):
        bottom -= height_of_title + panel[1]
        for column, (name, picture) in enumerate(shown):
            left = GAP + column * (panel[0] + GAP)
            axis = figure.add_axes((left / size_x, bottom / size_y, panel[0] / size_x, panel[1] / size_y))
            axis.imshow(picture, interpolation='antialiased', aspect='auto')
            axis.set_title(name, fontsize=7, pad=3)
            axis.set(xticks=[], yticks=[])
    figure.legend(handles=patches, loc='lower center', ncols=per_line, fontsize=7, frameon=False)
    if view.weights:
        bar = figure.add_axes((0.35, (legend - 0.22) / size_y, 0.3, 0.08 / size_y))
        figure.colorbar(ScalarMappable(cmap=WEIGHTS), cax=bar, orientation='horizontal')
        bar.tick_params(labelsize=6, length=2, pad=1)
        bar.text(-0.02, 0.5, 'weight', fontsize=7, ha='right', va='center', transform=bar.transAxes)
    canvas.draw()
    sheet = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), sheet[..., ::-1])
    return sheet


class _Panels:
    """Titles and pictures, at the resolution of the sheet."""

    def __init__(self, view: PhaseView, palette: Sequence[Sequence[int]]) -> None:
        self.view, self.classes, self.colors = view, len(palette), colors_of(palette)
        height, width = view.image.shape[:2]
        scale = np.clip(max(height, width), *np.multiply(PANEL, DPI)) / max(height, width)
        self.size = (max(1, round(width * scale)), max(1, round(height * scale)))
        self.labels = [view.truth] if view.truth is not None else []
        self.labels += [*view.predictions.values(), *view.pseudo_labels.values()]
        self.striped = any((label >= self.classes).any() for label in self.labels)

    def predicted(self) -> list[tuple[str, np.ndarray]]:
        small = max(self.view.image.shape[:2]) < max(self.size)
        image = cv2.resize(self.view.image, self.size, interpolation=cv2.INTER_NEAREST if small else cv2.INTER_AREA)
        shown = [('image', image[..., ::-1])]
        if self.view.truth is not None:
            shown.append(('truth', self._colored(self.view.truth)))
        return shown + [(name, self._colored(label)) for name, label in self.view.predictions.items()]

    def taught(self) -> list[tuple[str, np.ndarray]]:
        shown = []
        for learner, labeler in self.view.taught_by.items():
            label = self.view.pseudo_labels[labeler]
            kept = label < self.classes
            shown.append((self._describe(labeler, learner, label, kept), self._colored(label)))
            if learner in self.view.weights:
                weight = self.view.weights[learner]
                mean = f'mean {weight[kept].mean():.2f}' if kept.any() else ''
                colors = (ScalarMappable(cmap=WEIGHTS).cmap(self._resized(weight))[..., :3] * 255).astype(np.uint8)
                shown.append((f'their weight for {learner}\n{mean}', self._striped(colors, kept)))
        return shown

    def _describe(self, labeler: str, learner: str, label: np.ndarray, kept: np.ndarray) -> str:
        text = f'labels by {labeler}\n{kept.mean():.0%} kept'
        truth = self.view.truth
        if truth is None or truth.shape != label.shape:
            return text
        known = kept & (truth < self.classes)
        return f'{text}, {(label == truth)[known].mean():.0%} right' if known.any() else text

    def _colored(self, label: np.ndarray) -> np.ndarray:
        return self._striped(self.colors[self._resized(label.astype(np.uint8))], label < self.classes)

    def _striped(self, picture: np.ndarray, known: np.ndarray) -> np.ndarray:
        rows, columns = np.indices(picture.shape[:2])
        stripes = np.where((rows + columns) // STRIPE % 2, LIGHT, DARK).astype(np.uint8)
        return np.where(self._resized(known.astype(np.uint8))[..., None] == 1, picture, stripes[..., None])

    def _resized(self, values: np.ndarray) -> np.ndarray:
        return cv2.resize(values, self.size, interpolation=cv2.INTER_NEAREST)


def _legend(seen: np.ndarray, classes: Sequence[str], palette: Sequence[Sequence[int]], striped: bool) -> list[Patch]:
    shown = [number for number in range(len(classes)) if number in seen]
    patches = legend_patches([classes[number] for number in shown], [palette[number] for number in shown])
    if striped:
        gray = [str(shade / 255) for shade in (LIGHT, DARK)]
        patches.append(Patch(facecolor=gray[0], edgecolor=gray[1], hatch='//////', label='dropped, ignored'))
    return patches

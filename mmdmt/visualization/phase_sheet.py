"""Draw a sheet of one image in one phase: truth, predictions, pseudo labels and their weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from matplotlib.cm import ScalarMappable

from mmdmt.visualization.label_colors import colored, legend_patches, striped
from mmdmt.visualization.sheet import WEIGHTS, Panel, panel_size, resized, scaled, sheet


@dataclass(frozen=True)
class CropView:
    """Arrays to draw of a training crop, all of its height and width; the last three as of :class:`PhaseView`.

    Args:
        labelers_view: (H, W, 3) uint8, BGR; None if labeler and learner see the same.
        learners_view: (H, W, 3) uint8, BGR.
    """

    labelers_view: np.ndarray | None
    learners_view: np.ndarray
    pseudo_labels: Mapping[str, np.ndarray] = field(default_factory=dict)
    weights: Mapping[str, np.ndarray] = field(default_factory=dict)
    taught_by: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PhaseView:
    """Arrays to draw of an image, all of its height and width; by default, none.

    Args:
        image: (H, W, 3) uint8, BGR, or of other bands and bits; see
            :func:`~mmdmt.visualization.visible_image.visible`.
        truth: (H, W) integer labels.
        predictions: (H, W) integer labels of each peer and of the ensemble, by name.
        pseudo_labels: Of each labeler, by its name, (H, W) integer labels; what is dropped has none of a class.
        weights: Of each learner, by its name, (H, W) float32 in [0, 1].
        taught_by: For each learner its labeler; where that one has dropped a label, no weight is drawn.
        crop: Of a training crop of the image.
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
    """Draw an image in a phase, write the sheet as a picture, and return it, (H, W, 3) uint8, RGB.

    Rows: image, truth, each peer and the ensemble; the pseudo labels that each learner is taught, beside their weights;
    a training crop as labeler and learner see it, and what is taught of it. Pixels without a class are striped: ignored
    in the truth, dropped from pseudo labels. The legend holds the classes that are to be seen.
    """
    panels = [_Panels(view, palette)]
    rows = [panels[0].predicted(), panels[0].taught()]
    if view.crop is not None:
        crop = view.crop
        as_view = PhaseView(
            crop.learners_view, pseudo_labels=crop.pseudo_labels, weights=crop.weights, taught_by=crop.taught_by
        )
        panels.append(_Panels(as_view, palette))
        views = {'a training crop': crop.learners_view}
        if crop.labelers_view is not None:
            weak, strong = 'a training crop,\nas its labeler sees it', 'as its learner sees it'
            views = {weak: crop.labelers_view, strong: crop.learners_view}
        rows.append([*((name, scaled(image, panels[1].size)) for name, image in views.items()), *panels[1].taught()])
    labels = [label.ravel() for one in panels for label in one.labels]
    seen = set(np.unique(np.concatenate(labels)).tolist()) if labels else set()
    shown = [number for number in range(len(classes)) if number in seen]
    legend = legend_patches(
        [classes[number] for number in shown],
        [palette[number] for number in shown],
        'dropped, ignored' if any(one.striped for one in panels) else None,
    )
    return sheet(path, rows, legend, title, weights=any(one.view.weights for one in panels))


class _Panels:
    """Titles and pictures, at the resolution of the sheet."""

    def __init__(self, view: PhaseView, palette: Sequence[Sequence[int]]) -> None:
        self.view, self.palette = view, palette
        self.size = panel_size(view.image.shape)
        self.labels = [view.truth] if view.truth is not None else []
        self.labels += [*view.predictions.values(), *view.pseudo_labels.values()]
        self.striped = any((label >= len(palette)).any() for label in self.labels)

    def predicted(self) -> list[Panel]:
        shown = [('image', scaled(self.view.image, self.size))]
        if self.view.truth is not None:
            shown.append(('truth', self._colored(self.view.truth)))
        return shown + [(name, self._colored(label)) for name, label in self.view.predictions.items()]

    def taught(self) -> list[Panel]:
        shown = []
        for learner, labeler in self.view.taught_by.items():
            label = self.view.pseudo_labels[labeler]
            kept = label < len(self.palette)
            shown.append((self._describe(labeler, learner, label, kept), self._colored(label)))
            if learner in self.view.weights:
                weight = self.view.weights[learner]
                mean = f'mean {weight[kept].mean():.2f}' if kept.any() else ''
                colors = (ScalarMappable(cmap=WEIGHTS).cmap(resized(weight, self.size))[..., :3] * 255).astype(np.uint8)
                known = resized(kept.astype(np.uint8), self.size) == 1
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
        return colored(resized(label.astype(np.uint8), self.size), self.palette)

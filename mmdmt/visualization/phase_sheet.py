"""Draw a sheet of one image in one phase: truth, predictions, pseudo labels and their weights."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from matplotlib.cm import ScalarMappable

from mmdmt.visualization.sheet import (
    WEIGHTS,
    Panel,
    colored,
    legend_patches,
    panel_size,
    resized,
    scaled,
    sheet,
    striped,
)


@dataclass(frozen=True)
class PhaseView:
    """Arrays to draw of an image or of a training crop, all of its height and width; by default, none.

    Args:
        image: (H, W, 3) uint8, BGR, or of other bands and bits, see :func:`mmdmt.visualization.visible`; of a crop as
            its learner sees it.
        truth: (H, W) integer labels.
        predictions: (H, W) integer labels of each peer and of the ensemble, by name.
        pseudo_labels: Of each labeler, by its name, (H, W) integer labels; what is dropped has none of a class.
        weights: Of each learner, by its name, (H, W) float32 in [0, 1].
        taught_by: For each learner its labeler; where that one has dropped a label, no weight is drawn.
        labelers_view: Like ``image``, if the labeler of a crop sees it otherwise.
        crop: A training crop of the image.
    """

    image: np.ndarray
    truth: np.ndarray | None = None
    predictions: Mapping[str, np.ndarray] = field(default_factory=dict)
    pseudo_labels: Mapping[str, np.ndarray] = field(default_factory=dict)
    weights: Mapping[str, np.ndarray] = field(default_factory=dict)
    taught_by: Mapping[str, str] = field(default_factory=dict)
    labelers_view: np.ndarray | None = None
    crop: 'PhaseView | None' = None


def draw_phase(
    path: Path, view: PhaseView, title: str, classes: Sequence[str], palette: Sequence[Sequence[int]]
) -> np.ndarray:
    """Draw an image in a phase, write the sheet as a picture, and return it, (H, W, 3) uint8, RGB.

    Rows: image, truth, each peer and the ensemble; the pseudo labels that each learner is taught, beside their weights;
    a training crop as labeler and learner see it, and what is taught of it. Pixels without a class are striped: ignored
    in the truth, dropped from pseudo labels. The legend holds the classes that are to be seen.
    """
    rows, views = [[*predicted(view, palette)], [*taught(view, palette)]], [view]
    if view.crop is not None:
        rows.append([*_seen(view.crop), *taught(view.crop, palette)])
        views.append(view.crop)
    given = [label for one in views for label in (*one.predictions.values(), *one.pseudo_labels.values())]
    labels = {number for label in given + ([] if view.truth is None else [view.truth]) for number in np.unique(label)}
    shown = [number for number in range(len(classes)) if number in labels]
    legend = legend_patches(
        [classes[number] for number in shown],
        [palette[number] for number in shown],
        'dropped, ignored' if labels - set(shown) else None,
    )
    return sheet(path, rows, legend, title, weights=any(one.weights for one in views))


def predicted(view: PhaseView, palette: Sequence[Sequence[int]]) -> Iterator[Panel]:
    """Yield titles and pictures of an image, its truth and what is predicted of it."""
    size = panel_size(view.image.shape)
    yield 'image', scaled(view.image, size)
    for name, label in {'truth': view.truth, **view.predictions}.items():
        if label is not None:
            yield name, colored(label, palette, size)


def taught(view: PhaseView, palette: Sequence[Sequence[int]]) -> Iterator[Panel]:
    """Yield titles and pictures of what each learner is taught, and of the weights of that."""
    size = panel_size(view.image.shape)
    for learner, labeler in view.taught_by.items():
        label = view.pseudo_labels[labeler]
        kept = label < len(palette)
        text = f'labels by {labeler}\n{kept.mean():.0%} kept'
        known = np.zeros_like(kept) if view.truth is None else kept & (view.truth < len(palette))
        if known.any():
            text += f', {(label == view.truth)[known].mean():.0%} right'
        yield text, colored(label, palette, size)
        if learner in view.weights:
            weight = view.weights[learner]
            mean = f'mean {weight[kept].mean():.2f}' if kept.any() else ''
            colors = (ScalarMappable(cmap=WEIGHTS).cmap(resized(weight, size))[..., :3] * 255).astype(np.uint8)
            shown = striped(colors, resized(kept.astype(np.uint8), size) == 1)
            yield f'their weight for {learner}\n{mean}', shown


def _seen(crop: PhaseView) -> Iterator[Panel]:
    size = panel_size(crop.image.shape)
    if crop.labelers_view is None:
        yield 'a training crop', scaled(crop.image, size)
    else:
        yield 'a training crop,\nas its labeler sees it', scaled(crop.labelers_view, size)
        yield 'as its learner sees it', scaled(crop.image, size)

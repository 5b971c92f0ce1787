"""Draw what rules would teach: their gradients beside that of true labels, and the weights of each class."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mmdmt.visualization.sheet import write_figure


def draw_diagnosis(
    path: Path,
    gradients: Mapping[str, Mapping[str, tuple[float, float]]],
    weights: Mapping[str, Mapping[str, NDArray[np.float64]]],
    classes: Sequence[str],
) -> None:
    """Draw a row for each learner and write the sheet as a picture.

    Args:
        path (Path): File to write, such as a PNG.
        gradients (Mapping): By learner and case, the cosine with the gradient of true labels and the length along it.
        weights (Mapping): By learner and case, the mean weight of wrong and of right labels of each class,
            (2, classes); NaN without one.
        classes (Sequence[str]): Their names.
    """
    cases = list(next(iter(gradients.values())))
    size = (9 + 0.45 * len(classes), 0.32 * len(cases) * len(gradients) + 2.2)
    figure = Figure(figsize=size, layout='constrained', dpi=150)
    axes = figure.subplots(len(gradients), 3, squeeze=False, width_ratios=[2, 0.5 * len(classes), 0.5 * len(classes)])
    for row, name in zip(axes, gradients, strict=True):
        places = np.arange(len(cases))
        for offset, (number, label) in enumerate([(0, 'cosine'), (1, 'length')]):
            values = [gradients[name][case][number] for case in cases]
            row[0].barh(places + 0.2 - 0.4 * offset, values, 0.38, label=label, color=('#2b7fd4', '#e07b2a')[offset])
        row[0].set_yticks(places, cases, fontsize=8)
        row[0].set_xlim(min(0, *(min(pair) for pair in gradients[name].values())), 1)
        row[0].set_title(f'{name}: gradient beside that of true labels', fontsize=9)
        row[0].invert_yaxis()
        row[0].legend(fontsize=7, frameon=False)
        for axis, right, title in ((row[1], 1, 'mean weight of right labels'), (row[2], 0, 'of wrong labels')):
            table = np.array([weights[name][case][right] for case in cases])
            axis.imshow(table, vmin=0, vmax=1, cmap='viridis', aspect='auto')
            axis.set_yticks([])
            axis.set_xticks(range(len(classes)), classes, rotation=90, fontsize=7)
            axis.set_title(title, fontsize=9)
            for (y, x), value in np.ndenumerate(table):
                if np.isfinite(value):
                    color = 'black' if value > 0.7 else 'white'
                    axis.text(x, y, f'{value:.2f}'.lstrip('0'), ha='center', va='center', fontsize=6, color=color)
    write_figure(path, figure)

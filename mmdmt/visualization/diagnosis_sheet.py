"""Draw what rules would teach: their gradients beside that of true labels, and the weights of each class."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from mmdmt.visualization.sheet import write_figure


def draw_diagnosis(path: Path, found: Mapping[str, Mapping[str, Any]], classes: Sequence[str]) -> None:
    """Draw a row for each learner and write the sheet as a picture.

    Args:
        path: File to write, such as a PNG.
        found: Of :func:`mmdmt.apis.diagnosis.diagnose`, by learner and case.
        classes: Their names.
    """
    cases = list(next(iter(found.values())))
    size = (9 + 0.45 * len(classes), 0.32 * len(cases) * len(found) + 2.2)
    figure = Figure(figsize=size, layout='constrained', dpi=150)
    axes = figure.subplots(len(found), 3, squeeze=False, width_ratios=[2, 0.5 * len(classes), 0.5 * len(classes)])
    for row, (name, of_cases) in zip(axes, found.items(), strict=True):
        places = np.arange(len(cases))
        overall = [finding.overall() for finding in of_cases.values()]
        for offset, label in enumerate(('cosine', 'length')):
            values = [one[label] for one in overall]
            row[0].barh(places + 0.2 - 0.4 * offset, values, 0.38, label=label, color=('#2b7fd4', '#e07b2a')[offset])
        row[0].set_yticks(places, cases, fontsize=8)
        row[0].set_xlim(min(0, *(min(one['cosine'], one['length']) for one in overall)), 1)
        row[0].set_title(f'{name}: gradient beside that of true labels', fontsize=9)
        row[0].invert_yaxis()
        row[0].legend(fontsize=7, frameon=False)
        for axis, which in ((row[1], 'weight of right'), (row[2], 'weight of wrong')):
            table = np.array([finding.by_class()[which] for finding in of_cases.values()])
            axis.imshow(table, vmin=0, vmax=1, cmap='viridis', aspect='auto')
            axis.set_yticks([])
            axis.set_xticks(range(len(classes)), classes, rotation=90, fontsize=7)
            axis.set_title(f'mean {which} labels', fontsize=9)
            for (y, x), value in np.ndenumerate(table):
                if np.isfinite(value):
                    color = 'black' if value > 0.7 else 'white'
                    axis.text(x, y, f'{value:.2f}'.lstrip('0'), ha='center', va='center', fontsize=6, color=color)
    write_figure(path, figure)

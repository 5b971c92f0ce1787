"""Write the tables of the docs and `configs/metafile.yml` from `results/index.csv`, so that no number is typed twice.

    python tools/tables.py

In a page, what stands between `<!-- table: camvid -->` and `<!-- end of table -->` is replaced by the table of that
name: the runs whose records lie in the folder of `results` that is called so, or whose name begins so; a row for each
method. `<!-- table: summary -->` sets data sets side by side. The metafile has the configs that were run as they are.
"""

import csv
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import yaml

from mmdmt.atomic_write import atomic_write
from mmdmt.command_line import parser_of

ROOT = Path(__file__).resolve().parents[1]
MARKED = re.compile(r'(<!-- table: (?P<name>[\w@ -]+?) -->\n).*?(<!-- end of table -->)', re.DOTALL)
METAFILE = 'configs/metafile.yml'
HEAD = '# Written by tools/tables.py from results/index.csv.\n'
COLLECTION = 'DMT-segmentation'
#: Options that leave a config what it is: lists, weights to begin with, seed, and how often it is looked at.
AS_IT_IS = re.compile(r'\S*(lists|ann_file|load_from|seed|rehearsal|val_interval)=')
NONE = '-'
SPACE = '\u00a0'  # a line does not break there


@dataclass(frozen=True)
class Table:
    """What a table of one folder of records compares.

    Args:
        title: Of its column in the summary.
        peers: The names of the columns `peer_a` and `peer_b` of the index.
        control: The method that gains are measured from, on the same split and seed.
        upper: The method that has every label; the gap lies between it and the control.
        control_from: The folder of those two, where it is another one.
    """

    title: str
    peers: tuple[str, str]
    control: str = 'labels alone'
    upper: str = 'all labels'
    control_from: str = ''


LITE = ('lite0', 'lite1')
DIGITS = ('unet', 'resnet')
RESNETS = ('one', 'other')
#: By the folder of records, or by the beginning of its name.
TABLES = {
    'voc-animals': Table('VOC animals', LITE, 'labels alone, views'),
    'voc-animals-tried': Table('tried on split 0', LITE, 'labels alone, views'),
    'voc-animals-96': Table('at 96 pixels', LITE, 'labels alone, views'),
    'voc-animals-search': Table('search on split 0', LITE, 'labels alone, views'),
    'kvasir': Table('Kvasir-SEG', LITE, 'labels alone, views'),
    'kvasir-search': Table('search on split 0', LITE, 'labels alone, views', control_from='kvasir-64'),
    'kvasir-later': Table('after labels alone', LITE),
    'kvasir-next': Table('25 labels more', LITE, 'labels at random'),
    'kvasir2cvc': Table('Kvasir-SEG to CVC', LITE, 'labels alone, colors', 'oracle'),
    'kvasir2cvc-tried': Table('tried', LITE, 'labels alone, colors', 'oracle', control_from='kvasir2cvc-64'),
    'cityscapes': Table('Cityscapes', LITE, 'labels alone, views'),
    'day2dusk': Table('CamVid, day to dusk', LITE),
    'camvid': Table('CamVid, 30 labels', LITE),
    'digit_scenes': Table('scenes of digits', DIGITS),
    'fonts2handwriting': Table('printed to handwritten digits', RESNETS),
    'camvid-weighed-labels': Table('class weights on pseudo labels', LITE, control_from='camvid'),
    'day2dusk-weighed-labels': Table('class weights on pseudo labels', LITE, control_from='day2dusk'),
    'day2dusk-tried': Table('tried', LITE, control_from='day2dusk'),
    'fonts2handwriting-1500-unet': Table('U-Net and residual network', DIGITS),
}
#: What the summary sets side by side, as far as there are records.
SUMMARY = ('voc-animals', 'kvasir-64', 'kvasir2cvc', 'cityscapes', 'day2dusk', 'camvid', 'digit_scenes')
#: The methods that have their place in a table, from top to bottom; the summary has all but the first. Others stand
#: beside 'labels alone', if they begin so, or else behind 'DMT'.
METHODS = (
    *('warm-up', 'labels alone', 'labels alone, views', 'labels alone, colors', 'self-training', 'FixMatch-like'),
    *('CPS-like, CutMix', 'DMT', 'first recipe', 'recipe', 'oracle', 'all labels'),
)


@dataclass
class Row:
    """The runs of one method, by split and seed."""

    method: str
    labels: str
    iterations: str
    leaf: str
    runs: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)

    def add(self, run: Mapping[str, str]) -> None:
        """Add a run, or the other peer of a run."""
        key = (run['split'], run['seed'])
        known = self.runs.get(key)
        if known is None:
            self.runs[key] = dict(run)
            return
        for name in ('peer_a', 'peer_b'):
            if known[name] and run[name]:
                raise ValueError(f'{run.get("record")} is a second run of {self.method!r}, split and seed {key}.')
            known[name] = known[name] or run[name]
        known['mean'] = str(fmean((float(known['peer_a']), float(known['peer_b']))))
        seconds = (known['cpu_seconds'], run['cpu_seconds'])
        known['cpu_seconds'] = str(sum(map(float, seconds))) if all(seconds) else ''

    def values(self, column: str) -> dict[tuple[str, str], float]:
        """Return the numbers of a column, of each split and seed that has one."""
        return {key: float(run[column]) for key, run in self.runs.items() if run[column]}

    def mean(self, column: str) -> str:
        """Return the mean of a column as text, or a dash if it is not known for every run."""
        values = self.values(column)
        return f'{fmean(values.values()):.2f}' if len(values) == len(self.runs) else NONE


def read_index(root: Path = ROOT) -> dict[str, list[Row]]:
    """Read all runs of a checkout: for each folder of records its rows, from labels alone to all labels.

    Scores of a run on other images, whose metric names them behind a comma, stand by ``folder@images``.
    """
    folders: dict[str, dict[tuple[str, ...], Row]] = {}
    with (root / 'results' / 'index.csv').open(newline='') as lines:
        for run in csv.DictReader(lines):
            _, _, images = run['metric'].partition(', ')
            folder = Path(run['record']).parent.name + (f'@{images}' if images else '')
            kind = (run['method'], run['labels'], run['iterations'])
            folders.setdefault(folder, {}).setdefault(kind, Row(*kind, run['leaf'])).add(run)
    return {folder: sorted(rows.values(), key=_rank) for folder, rows in folders.items()}


def _rank(row: Row) -> int:
    """Return the place of a row in its table."""
    if row.method in METHODS:
        return METHODS.index(row.method)
    return METHODS.index('labels alone' if row.method.startswith('labels alone') else 'DMT')


def folder_of(name: str, folders: Mapping[str, list[Row]]) -> str | None:
    """Return the folder of a table: the one of that name, or else the first whose name begins so."""
    begin, _, images = name.partition('@')
    fitting = [one for one in folders if one.startswith(begin) and one.partition('@')[2] == images]
    fitting = [one for one in fitting if spec_of(one) == spec_of(name)]  # not what was tried before
    return name if name in folders else next(iter(fitting), None)


def spec_of(folder: str) -> Table:
    """Return what the table of a folder compares."""
    return TABLES[max((name for name in TABLES if folder.startswith(name)), key=len)]


def gains(row: Row, control: Row | None, column: str = 'mean') -> list[float]:
    """Return what a row gains over the control, on each split and seed that both have."""
    if control is None or row is control:
        return []
    ours, theirs = row.values(column), control.values(column)
    return [value - theirs[key] for key, value in ours.items() if key in theirs]


def gain_text(values: Sequence[float]) -> str:
    """Write a mean gain with the standard error of the mean of paired differences."""
    if not values:
        return NONE
    mean = f'{fmean(values):+.2f}'
    return mean if len(values) == 1 else f'{mean}{SPACE}±{SPACE}{stdev(values) / len(values) ** 0.5:.2f}'


def share_text(row: Row, control: Row | None, upper: Row | None) -> str:
    """Write the share of the gap between the control and all labels that a row closes, if it gains at all."""
    gained = gains(row, control)
    gap = gains(upper, control) if upper is not None else []
    if not gained or not gap or row is upper or fmean(gained) <= 0:
        return NONE
    return f'{fmean(gained) / fmean(gap):.0%}'


def find(rows: Sequence[Row], method: str, like: Row | None = None) -> Row | None:
    """Return the row of a method, of as many labels and iterations as another row if there is such a one."""
    found = [row for row in rows if row.method == method]
    if like is not None:
        found.sort(key=lambda row: (row.labels != like.labels, row.iterations != like.iterations))
    return found[0] if found else None


def label_of(row: Row, rows: Sequence[Row], page: Path, root: Path = ROOT) -> str:
    """Return the name of a method as a link to its config, with what tells it from rows of the same name."""
    others = [other for other in rows if other.method == row.method and other is not row]
    parts = [row.method]
    if any(other.labels != row.labels for other in others):
        parts.append(f'{row.labels} labels')
    if any(other.iterations != row.iterations for other in others):
        parts.append(f'{row.iterations} iterations')
    text = ', '.join(parts)
    leaf = root / row.leaf
    return f'[{text}]({os.path.relpath(leaf, page.parent)})' if row.leaf and leaf.is_file() else text


def detailed(name: str, folders: Mapping[str, list[Row]], page: Path, root: Path = ROOT) -> list[str]:
    """Lay out the table of one folder of records."""
    folder = folder_of(name, folders) or name
    spec, rows = spec_of(folder), folders.get(folder, [])
    reference = folders.get(spec.control_from or folder, [])
    by_class = any(row.values('rare') for row in rows)
    head = ['', *spec.peers, 'mean', 'gain', 'of the gap']
    head += [*(['frequent', 'rare'] if by_class else []), 'ensemble', 'runs', 'averages', 'CPU s']
    lines = [head, ['---'] * len(head)]
    for row in rows:
        runs = list(row.runs.values())
        control, upper = find(reference, spec.control, row), find(reference, spec.upper)
        on_cpu = all('NVIDIA' not in run['machine'] for run in runs)
        seconds = row.values('cpu_seconds').values()
        lines.append(
            [
                label_of(row, rows, page, root),
                *(row.mean(column) for column in ('peer_a', 'peer_b', 'mean')),
                'control' if row is control else gain_text(gains(row, control)),
                share_text(row, control, upper),
                *([row.mean('frequent'), row.mean('rare')] if by_class else []),
                row.mean('ensemble'),
                str(len(runs)),
                '/'.join(sorted({run.get('averages') or NONE for run in runs})),
                f'{fmean(seconds):.0f}' if on_cpu and len(seconds) == len(runs) else NONE,
            ]
        )
    return [f'| {" | ".join(line)} |' for line in lines]


def summary(folders: Mapping[str, list[Row]]) -> list[str]:
    """Lay out the data sets side by side: the mean of peers of the control, and what other rows gain over it."""
    shown = [name for name in (folder_of(begin, folders) for begin in SUMMARY) if name]
    lines = [['', *(spec_of(name).title for name in shown)], ['---'] * (len(shown) + 1)]
    for method in METHODS[1:]:
        cells = []
        for name in shown:
            row = find(folders[name], method)
            control = find(folders[name], spec_of(name).control, row)
            if row is None:
                cells.append('')
            elif row is control:
                cells.append(f'**{row.mean("mean")}**')
            else:
                gained = gains(row, control)
                cells.append(gain_text(gained) if gained else row.mean('mean'))
        if any(cells):
            lines.append([method, *cells])
    return [f'| {" | ".join(line)} |' for line in lines]


def filled(text: str, page: Path, folders: Mapping[str, list[Row]], root: Path = ROOT) -> str:
    """Return the text of a page with its tables written anew."""

    def table(found: re.Match[str]) -> str:
        name = found['name']
        lines = summary(folders) if name == 'summary' else detailed(name, folders, page, root)
        return found[1] + '\n' + '\n'.join(lines) + '\n\n' + found[3]

    return MARKED.sub(table, text)


def metafile(folders: Mapping[str, list[Row]], root: Path = ROOT) -> dict[str, Any]:
    """Return what `mim` and model indices read: each config that was run as it is, on the data sets of the summary.

    The metric is the mean of the peers over all runs, as in the tables, and beside it that of the ensemble.
    """
    models: dict[str, dict[str, Any]] = {}
    for folder in filter(None, (folder_of(name, folders) for name in SUMMARY)):
        for row in folders[folder]:
            options = {option for run in row.runs.values() for option in run['options'].split()}
            if all(AS_IT_IS.match(option) for option in options) and (root / row.leaf).is_file():
                (metric,) = {run['metric'] for run in row.runs.values()}
                found = {metric: row.mean('mean'), f'{metric} of the ensemble': row.mean('ensemble')}
                metrics = {name: float(value) for name, value in found.items() if value != NONE}
                result = {'Task': 'Semantic Segmentation', 'Dataset': spec_of(folder).title, 'Metrics': metrics}
                name = Path(row.leaf).stem
                model = {'Name': name, 'In Collection': COLLECTION, 'Config': row.leaf, 'Results': [result]}
                models.setdefault(name, model)  # of labels alone, not of all labels with the same config
    paper = {
        'Title': 'DMT: Dynamic Mutual Training for Semi-Supervised Learning',
        'URL': 'https://arxiv.org/abs/2004.08514',
    }
    collection = {'Name': COLLECTION, 'License': 'Apache License 2.0', 'Paper': paper}
    collection |= {'README': 'docs/en/results.md', 'Frameworks': ['PyTorch']}
    return {'Collections': [collection], 'Models': list(models.values())}


def pages(root: Path = ROOT) -> list[Path]:
    """Return the pages that may have tables."""
    return [root / 'README.md', *sorted(root.glob('docs/en/*.md')), *sorted(root.glob('configs/*/README.md'))]


def main() -> None:
    """Write all tables."""
    parser_of(__doc__).parse_args()
    folders = read_index()
    for page in pages():
        text = page.read_text()
        if (new := filled(text, page, folders)) != text:
            with atomic_write(page) as unfinished:
                unfinished.write_text(new)
            print(page.relative_to(ROOT))
    with atomic_write(ROOT / METAFILE) as unfinished:
        unfinished.write_text(HEAD + yaml.safe_dump(metafile(folders), sort_keys=False, width=120))


if __name__ == '__main__':
    main()

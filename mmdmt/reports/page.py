"""Write a report as one self-contained HTML file."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from mmdmt.atomic_write import atomic_write
from mmdmt.reports.comparison import compare, group
from mmdmt.reports.plots import colors_of
from mmdmt.reports.run import Run, read_run
from mmdmt.reports.run_view import view_run
from mmdmt.reports.wording import count, duration, number, spread

GENERATOR = 'mmdmt report'


def write_report(work_dirs: Sequence[Path], out: Path) -> list[Run]:
    """Write a report of runs, finished or not, and return what was read of them.

    Args:
        work_dirs (Sequence[Path]): Folders of the runs. Several are compared; those whose settings differ in the seed
            alone are put together.
        out (Path): File to write. A report that is there is replaced.

    Raises:
        FileNotFoundError: If a folder is not of a run.
        FileExistsError: If the file is there and no report.
        ValueError: If a folder is given twice.
    """
    resolved = [path.resolve() for path in work_dirs]
    twice = next((path for path in resolved if resolved.count(path) > 1), None)
    if twice:
        raise ValueError(f'{twice} is given twice: its results would count twice in the means.')
    if out.exists() and not _is_report(out):
        raise FileExistsError(f'{out} is there and no report of mmdmt, and is not overwritten: give another --out.')
    runs = [read_run(path) for path in work_dirs]
    text = render(runs)
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(out) as unfinished:
        unfinished.write_text(text, encoding='utf-8')
    return runs


def render(runs: Sequence[Run]) -> str:
    """Render a report of runs."""
    colors = colors_of(list(dict.fromkeys(peer for run in runs for peer in run.peers)))
    environment = Environment(
        loader=PackageLoader('mmdmt.reports'),
        autoescape=True,  # names of classes and texts of configs are somebody else's
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=number, spread=spread, count=count, duration=duration)
    return environment.get_template('report.html.j2').render(
        generator=GENERATOR,
        made=f'{datetime.now():%Y-%m-%d %H:%M}',
        views=[view_run(run, f'run-{index}', colors) for index, run in enumerate(runs, 1)],
        comparison=compare(group(runs)) if len(runs) > 1 else None,
        colors=colors,
    )


def _is_report(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open('rb') as file:
        return f'content="{GENERATOR}"'.encode() in file.read(1000)

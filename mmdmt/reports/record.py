"""Keep a run as a few small files that a repository can hold, and that reports are still made from."""

import json
import re
from pathlib import Path
from typing import Any

from mmdmt.atomic_write import atomic_write
from mmdmt.reports.run import read_run

#: Training entries that are kept of a run; a curve of more points looks the same.
POINTS = 50
DIGITS = 5
#: An absolute path, which is of somebody's machine; not what follows a scheme, as in an address.
ABSOLUTE = re.compile(r'(?<![\w:/.~-])/(?:[\w.+~-]+/)+[\w.+~-]*')
#: Folders that a path is told from, where it is in one of them.
KNOWN_FOLDERS = ('splits', 'data', 'configs', 'work_dirs', 'mmdmt')


def keep_run(work_dir: Path, out_dir: Path, name: str | None = None) -> Path:
    """Write a folder of a run, as `read_run` reads one, with all events and at most 50 entries of training.

    Absolute paths, which name folders of the machine, are shortened.

    Args:
        work_dir (Path): The folder of the run.
        out_dir (Path): Where the folder of the record goes. A record of the same name is replaced file by file.
        name (str, optional): Of the record. Defaults to None, the name of ``work_dir``.

    Raises:
        FileNotFoundError: If ``work_dir`` holds no run.
        ValueError: If the run has not ended, or the record would be written into the run.
    """
    run = read_run(work_dir)
    if run.ended is False:
        raise ValueError(f'{work_dir} has ended at iteration {run.reached} of {run.planned}: keep it when it is done.')
    folder = out_dir / (name or run.name)
    if folder.resolve() == work_dir.resolve():
        raise ValueError(f'{folder} is the folder of the run itself: give another folder to keep records in.')
    starts = sorted(work_dir.glob('*/events.jsonl'))
    for file in starts:
        _write(folder / file.parent.name / file.name, shorten_paths(file.read_text(errors='replace')))
    step = -(-len(run.training) // POINTS) or 1
    thinned = run.training[::-1][::step][::-1]  # with the last one
    lines = ''.join(f'{json.dumps(_rounded(entry))}\n' for entry in thinned)
    _write(folder / starts[-1].parent.name / 'vis_data' / 'scalars.json', lines)
    return folder


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as unfinished:
        unfinished.write_text(text)


def shorten_paths(text: str) -> str:
    """Shorten absolute paths: to where ``splits``, ``data`` or the like begins, or else to their last part."""
    return ABSOLUTE.sub(lambda found: _shortened(found[0]), text)


def _shortened(path: str) -> str:
    parts = path.strip('/').split('/')
    begin = next((number for number, part in enumerate(parts) if part in KNOWN_FOLDERS), len(parts) - 1)
    return '/'.join(parts[begin:])


def _rounded(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: float(f'{value:.{DIGITS}g}') if isinstance(value, float) else value for key, value in entry.items()}

"""Keep a run as a few small files that a repository can hold, and that reports are still made from."""

import json
import os
import platform
import re
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mmdmt.atomic_write import atomic_write
from mmdmt.reports.log import CPU, ENVIRONMENT, LABELED, LINE, LIST, PHASE, REACHED, TOLD
from mmdmt.reports.run import Run, read_run

#: Training entries that are kept of a run; a curve of more points looks the same.
POINTS = 50
DIGITS = 5
PACKAGES = ('torch', 'numpy', 'mmengine', 'mmcv-lite', 'mmcv', 'mmsegmentation', 'mmpretrain', 'timm', 'scikit-learn')
#: An absolute path, which is of somebody's machine; not what follows a scheme, as in an address.
ABSOLUTE = re.compile(r'(?<![\w:/.~-])/(?:[\w.+~-]+/)+[\w.+~-]*')
#: Folders that a path is told from, where it is in one of them.
KNOWN_FOLDERS = ('splits', 'data', 'configs', 'work_dirs', 'mmdmt')


def keep_run(work_dir: Path, out_dir: Path, name: str | None = None) -> Path:
    """Write the config, the scalars and the digest of the log of a run, with versions and machine.

    What is written is a folder of a run as `read_run` reads one, so that tables and reports can be made from it. Of
    training there are at most 50 entries; validations and labelings are whole, with five digits. Absolute paths are
    shortened, since they name folders of the machine.

    Args:
        work_dir (Path): The folder of the run.
        out_dir (Path): Where the folder of the record goes. A record of the same name is replaced file by file.
        name (str, optional): Of the record. Defaults to None, the name of ``work_dir``.

    Returns:
        Path: The folder of the record.

    Raises:
        FileNotFoundError: If ``work_dir`` is not a folder of a run.
        ValueError: If the run has not ended, or the record would be written into the run.
    """
    run = read_run(work_dir)
    if run.ended is False:
        raise ValueError(f'{work_dir} has ended at iteration {run.reached} of {run.planned}: keep it when it is done.')
    folder = out_dir / (name or run.name)
    if folder.resolve() == work_dir.resolve():
        raise ValueError(f'{folder} is the folder of the run itself: give another folder to keep records in.')
    starts = sorted(path.parents[1] for path in work_dir.glob('*/vis_data/scalars.json'))
    scalars = folder / starts[-1].name / 'vis_data' / 'scalars.json'
    scalars.parent.mkdir(parents=True, exist_ok=True)
    _write(scalars, ''.join(f'{json.dumps(_rounded(entry))}\n' for entry in _entries(run)))
    _write(folder / f'{run.config_name}.py', shorten_paths(run.config_text))
    for start in starts:
        for log in sorted(start.glob('*.log')):
            digest = ''.join(f'{line}\n' for line in _digest(log.read_text(errors='replace').splitlines()))
            _write(scalars.parents[1] / log.name, shorten_paths(digest))
    made = {'machine': machine(), 'versions': versions()}
    _write(folder / 'machine.json', json.dumps(made, indent=1) + '\n')
    return folder


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as unfinished:
        unfinished.write_text(text)


def shorten_paths(text: str) -> str:
    """Shorten absolute paths: to where ``splits``, ``data`` or the like begins, or else to their last part.

    Args:
        text (str): Such as a config.

    Returns:
        str: The text with relative paths.
    """
    return ABSOLUTE.sub(lambda found: _shortened(found[0]), text)


def machine() -> dict[str, Any]:
    """Describe this machine: its kind of processor, the number of cores, and the threads that are asked for."""
    cpuinfo = Path('/proc/cpuinfo')
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    model = next((line.partition(':')[2].strip() for line in lines if line.startswith('model name')), '')
    return {
        'kind': platform.machine(),
        'processor': model or platform.processor(),
        'cores': os.cpu_count(),
        'threads': os.environ.get('OMP_NUM_THREADS'),
    }


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that results depend on, as far as they are installed."""
    found = {'python': platform.python_version()}
    for package in ('mmdmt', *PACKAGES):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _entries(run: Run) -> list[dict[str, Any]]:
    training = run.scalars.training
    step = -(-len(training) // POINTS) or 1
    thinned = training[::-1][::step][::-1]  # with the last one
    entries = [*thinned, *run.scalars.labelings, *run.scalars.validations]
    return sorted(entries, key=lambda entry: entry['step'])


def _rounded(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: float(f'{value:.{DIGITS}g}') if isinstance(value, float) else value for key, value in entry.items()}


def _digest(lines: Iterable[str]) -> list[str]:
    """Take what `read_logs` reads: versions, lists, phases, warnings, the last iteration, first and last line."""
    kept: list[str] = []
    last = reached = None
    for line in lines:
        if found := LINE.match(line):
            last = line
            reached = line if REACHED.match(found[3]) else reached
            told = any(pattern.match(found[3]) for pattern in (PHASE, LABELED, LIST, CPU))
            if told or not kept or found[2] != 'INFO':
                kept.append(line)
        elif (told_of := ENVIRONMENT.fullmatch(line)) and told_of[1] in TOLD:
            kept.append(line)
    return [*kept, *(line for line in dict.fromkeys((reached, last)) if line and line not in kept[-1:])]


def _shortened(path: str) -> str:
    parts = path.strip('/').split('/')
    begin = next((number for number, part in enumerate(parts) if part in KNOWN_FOLDERS), len(parts) - 1)
    return '/'.join(parts[begin:])

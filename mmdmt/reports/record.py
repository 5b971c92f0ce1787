"""Keep a run as two small files and a line of an index, as a repository can hold them."""

import csv
import json
import os
import platform
import re
from collections.abc import Collection, Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import fmean
from typing import Any

from mmdmt.atomic_write import atomic_write
from mmdmt.reports.config_text import as_dict, as_list
from mmdmt.reports.log import CPU, ENVIRONMENT, LABELED, LINE, LIST, PHASE, REACHED, TOLD
from mmdmt.reports.run import ENSEMBLE, Run, read_run

#: Training entries that are kept of a run; a curve of more points looks the same.
POINTS = 50
DIGITS = 5
PACKAGES = ('torch', 'numpy', 'mmengine', 'mmcv-lite', 'mmcv', 'mmsegmentation', 'mmpretrain', 'timm', 'scikit-learn')
#: An absolute path, which is of somebody's machine; not what follows a scheme, as in an address.
ABSOLUTE = re.compile(r'(?<![\w:/.~-])/(?:[\w.+~-]+/)+[\w.+~-]*')
#: Folders that a path is told from, where it is in one of them.
KNOWN_FOLDERS = ('splits', 'data', 'configs', 'work_dirs', 'mmdmt')


def keep_run(work_dir: Path, out_dir: Path, name: str | None = None) -> Path:
    """Write the scalars of a run and the digest of its logs.

    Of training there are at most 50 entries; validations and labelings are whole, with five digits. Absolute paths are
    shortened, since they name folders of the machine. The config stands in the index, as leaf and options.

    Args:
        work_dir (Path): The folder of the run.
        out_dir (Path): Where the folder of the record goes. A record of the same name is replaced file by file.
        name (str, optional): Of the record. Defaults to None, the name of ``work_dir``.

    Returns:
        Path: The folder of the record, with ``log.txt`` and ``scalars.json``.

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
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / 'scalars.json', ''.join(f'{json.dumps(_rounded(entry))}\n' for entry in _entries(run)))
    logs = sorted(log for file in work_dir.glob('*/vis_data/scalars.json') for log in file.parents[1].glob('*.log'))
    digest = [line for log in logs for line in _digest(log.read_text(errors='replace').splitlines())]
    _write(folder / 'log.txt', shorten_paths(''.join(f'{line}\n' for line in digest)))
    return folder


def index_line(work_dir: Path, rare: Collection[str] = ()) -> dict[str, object]:
    """Return what the index of all runs says of a run, as far as its folder tells it.

    Args:
        work_dir (Path): The folder of the run.
        rare (Collection[str]): Names of the rare classes; without any, frequent and rare ones are not told apart.

    Raises:
        ValueError: If the run has other than one or two peers, or was not validated.
    """
    run = read_run(work_dir)
    scores = [score.last for peer in run.peers if (score := run.score(peer, run.metric))]
    ensemble = run.score(ENSEMBLE, run.metric)
    if len(scores) not in (1, 2) or ensemble is None:
        raise ValueError(
            f'{work_dir} has the peers {list(run.peers)}: the index has rows of one or two that were validated.'
        )
    hooks = [as_dict(hook).get('type') for hook in as_list(run.config.get('custom_hooks'))]
    gpu, here = run.log.environment.get('GPU 0'), machine()
    line: dict[str, object] = {
        'seed': run.seed,
        'metric': run.metric,
        'peer_a': scores[0],
        'peer_b': '',
        'iterations': run.reached,
        'machine': ', '.join(str(part) for part in (gpu, here['processor'], f'{here["cores"]} cores') if part),
        'versions': ' '.join(f'{name}={found}' for name, found in versions().items()),
        'cpu_seconds': '' if run.log.cpu_seconds is None else round(run.log.cpu_seconds),
        'averages': 'yes' if {'EMAHook', 'mmengine.EMAHook'} & set(hooks) else 'no',
    }
    if len(scores) == 2:
        line |= {'peer_b': scores[1], 'mean': round(fmean(scores), 3), 'ensemble': ensemble.last}
    classes = [run.class_iou(peer) for peer in run.peers]
    for column, chosen in (('rare', True), ('frequent', False)):
        values = [iou for of_peer in classes for name, iou in of_peer.items() if (name in rare) is chosen]
        if rare and values:
            line[column] = round(fmean(values), 2)
    return line


def add_to_index(index: Path, line: Mapping[str, object]) -> None:
    """Add a line to an index, or replace the one of the same record.

    Args:
        index (Path): A CSV file with a head.
        line (Mapping[str, object]): Values by column; what is not known is left empty.
    """
    with index.open(newline='') as file:
        reader = csv.DictReader(file)
        columns = list(reader.fieldnames or [])
        lines: list[Mapping[str, object]] = [one for one in reader if one['record'] != line['record']]
    with atomic_write(index) as unfinished, unfinished.open('w', newline='') as file:
        writer = csv.DictWriter(file, columns, restval='', lineterminator='\n')
        writer.writeheader()
        writer.writerows([*lines, line])


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

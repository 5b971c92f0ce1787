"""Enter runs into the index of all runs: a line of results/index.csv and a folder with a record.

    python tools/keep_runs.py work_dirs/camvid/dmt-s0 work_dirs/camvid/dmt-s1 --data camvid --labels 30 --method DMT

The records are `results/camvid/dmt-s0` and so on. `tools/tables.py` then writes the tables of the docs. Absolute paths,
which name folders of the machine, are shortened.
"""

import csv
import subprocess
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from statistics import fmean

from mmdmt.atomic_write import atomic_write
from mmdmt.command_line import parser_of, run
from mmdmt.reports.record import keep_run
from mmdmt.reports.run import ENSEMBLE, Run, read_run

ROOT = Path(__file__).resolve().parents[1]


def index_line(made: Run, rare: Collection[str] = ()) -> dict[str, object]:
    """Return what the index says of a run of one or two peers; ``rare`` names classes."""
    scores = [score.last for peer in made.peers if (score := made.score(peer, made.metric))]
    ensemble = made.score(ENSEMBLE, made.metric)
    if len(scores) not in (1, 2) or ensemble is None:
        raise ValueError(f'{made.work_dir} has the peers {list(made.peers)}: the index takes one or two, validated.')
    hooks = {hook['type'] for hook in made.config.get('custom_hooks', [])}
    here, found, seconds = made.facts['machine'], made.facts['versions'], made.cpu_seconds
    line: dict[str, object] = {
        'seed': made.seed,
        'metric': made.metric,
        'peer_a': scores[0],
        'iterations': made.reached,
        'machine': ', '.join(str(part) for part in (here['gpu'], here['processor'], f'{here["cores"]} cores') if part),
        'versions': ' '.join(f'{name}={number}' for name, number in found.items()),
        'cpu_seconds': '' if seconds is None else round(seconds),
        'averages': 'yes' if {'EMAHook', 'mmengine.EMAHook'} & hooks else 'no',
    }
    if len(scores) == 2:
        line |= {'peer_b': scores[1], 'mean': round(fmean(scores), 3), 'ensemble': ensemble.last}
    for column, chosen in (('rare', True), ('frequent', False)):
        ious = [iou for peer in made.peers for name, iou in made.class_iou(peer).items() if (name in rare) is chosen]
        if rare and ious:
            line[column] = round(fmean(ious), 2)
    return line


def add_to_index(index: Path, line: Mapping[str, object]) -> None:
    """Add a line, by column, to a CSV file with a head, or replace the line of the same record."""
    with index.open(newline='') as file:
        reader = csv.DictReader(file)
        columns = list(reader.fieldnames or [])
        lines: list[Mapping[str, object]] = [one for one in reader if one['record'] != line['record']]
    with atomic_write(index) as unfinished, unfinished.open('w', newline='') as file:
        writer = csv.DictWriter(file, columns, restval='', lineterminator='\n')
        writer.writeheader()
        writer.writerows([*lines, line])


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command line."""
    parser = parser_of(__doc__)
    parser.add_argument('work_dirs', nargs='+', type=Path, help='the --work-dir of each run')
    parser.add_argument('--data', required=True, help='such as camvid; also the folder of the records')
    parser.add_argument('--method', required=True, help='name of the row, such as "labels alone"')
    parser.add_argument('--labels', required=True, type=int, help='labeled images')
    parser.add_argument('--split', default='', help='id of the split, if there are several')
    parser.add_argument('--options', default='', help='--cfg-options of the runs')
    parser.add_argument('--rare', nargs='+', default=(), metavar='CLASS', help='names of the rare classes')
    parser.add_argument('--out', type=Path, default=ROOT / 'results', help='folder of index.csv (default: %(default)s)')
    args = parser.parse_args(argv)
    command = ('git', 'rev-parse', '--short', 'HEAD')
    commit = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    given = {name: getattr(args, name) for name in ('data', 'labels', 'method', 'split', 'options')}
    for work_dir in args.work_dirs:
        made = read_run(work_dir)
        line = index_line(made, args.rare) | given | {'commit': commit.stdout.strip()}
        folder = keep_run(work_dir, args.out / args.data)
        leaves = sorted((ROOT / 'configs').rglob(f'{made.config_name}.py'))
        line |= {
            'leaf': leaves[0].relative_to(ROOT).as_posix() if leaves else '',
            'record': f'results/{folder.relative_to(args.out).as_posix()}',
        }
        add_to_index(args.out / 'index.csv', line)
        print(folder)


if __name__ == '__main__':
    run(main)

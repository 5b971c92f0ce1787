"""Enter runs into the index of all runs: a line of results/index.csv, a folder with scalars and a digest of the log.

    python tools/keep_runs.py work_dirs/camvid/dmt-s0 work_dirs/camvid/dmt-s1 --data camvid --labels 30 --method DMT

The folders are `results/camvid/dmt-s0` and so on. `tools/tables.py` then writes the tables of the docs. Absolute paths,
which name folders of the machine, are shortened.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from mmdmt.reports.record import add_to_index, index_line, keep_run

ROOT = Path(__file__).resolve().parents[1]


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command line.

    Args:
        argv: The arguments. Default: None, those of the process.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('work_dirs', nargs='+', type=Path, help='the --work-dir of each run')
    parser.add_argument('--data', required=True, help='such as camvid; also the folder of the records')
    parser.add_argument('--method', required=True, help='name of the row, such as "labels alone"')
    parser.add_argument('--labels', required=True, type=int, help='labeled images')
    parser.add_argument('--split', default='', help='id of the split, if there are several')
    parser.add_argument('--options', default='', help='--cfg-options of the runs')
    parser.add_argument('--rare', nargs='+', default=(), metavar='CLASS', help='names of the rare classes')
    parser.add_argument('--out', type=Path, default=ROOT / 'results', help='folder of index.csv (default: %(default)s)')
    args = parser.parse_args(argv)
    commit = subprocess.run(
        ('git', 'rev-parse', '--short', 'HEAD'), cwd=ROOT, capture_output=True, text=True, check=False
    )
    given = {name: getattr(args, name) for name in ('data', 'labels', 'method', 'split', 'options')}
    for work_dir in args.work_dirs:
        line = index_line(work_dir, args.rare) | given | {'commit': commit.stdout.strip()}
        folder = keep_run(work_dir, args.out / args.data)
        leaves = [path for config in work_dir.glob('*.py') for path in (ROOT / 'configs').rglob(config.name)]
        line |= {
            'leaf': leaves[0].relative_to(ROOT).as_posix() if leaves else '',
            'record': f'results/{folder.relative_to(args.out).as_posix()}',
        }
        add_to_index(args.out / 'index.csv', line)
        print(folder)


if __name__ == '__main__':
    try:
        main()
    except (ValueError, OSError) as error:
        sys.exit(str(error))

"""Keep runs as small files that a repository can hold: what they have written down, and thinned scalars.

    python tools/keep_runs.py work_dirs/camvid/dmt-s0 work_dirs/camvid/dmt-s1 --out results/camvid

Each becomes a folder of the same name. `tools/report.py` and `tools/mean_of_runs.py` read it like the run itself.
Absolute paths, which name folders of the machine, are shortened.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mmdmt.reports.record import keep_run


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command line.

    Args:
        argv: The arguments. Default: None, those of the process.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('work_dirs', nargs='+', type=Path, help='the --work-dir of each run')
    parser.add_argument('--out', type=Path, required=True, help='folder of the records, such as results/camvid')
    args = parser.parse_args(argv)
    for work_dir in args.work_dirs:
        folder = keep_run(work_dir, args.out)
        size = sum(path.stat().st_size for path in folder.rglob('*') if path.is_file())
        print(f'{folder} ({size / 1000:,.0f} kB)')


if __name__ == '__main__':
    try:
        main()
    except (ValueError, OSError) as error:
        sys.exit(str(error))

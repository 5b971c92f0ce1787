"""Write a report of a run, finished or not, as one HTML file that any browser shows without a network.

    python tools/report.py work_dirs/mine
    python tools/report.py work_dirs/mine_seed1 work_dirs/mine_seed2 work_dirs/other --out comparison.html

Several runs are compared; those whose configs differ in the seed alone are put together, as mean and sample standard
deviation. The results of the last weights are printed, too.
"""

from collections.abc import Sequence
from pathlib import Path

from mmdmt.command_line import parser_of, run
from mmdmt.reports import write_report
from mmdmt.reports.comparison import group
from mmdmt.reports.wording import spread


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command line."""
    parser = parser_of(__doc__)
    parser.add_argument('work_dirs', nargs='+', type=Path, help='the --work-dir of each run')
    parser.add_argument(
        '--out', type=Path, help='default: report.html in the folder of the run; of several, in the current folder'
    )
    args = parser.parse_args(argv)
    out = args.out or (args.work_dirs[0] if len(args.work_dirs) == 1 else Path()) / 'report.html'
    runs = write_report(args.work_dirs, out)
    print(f'{out} ({out.stat().st_size / 1000:,.0f} kB)')
    for one in group(runs):
        last = ', '.join(f'{name} {spread(one.last(name, runs[0].metric))}' for name in one.predictors)
        print(f'{one.name}, {runs[0].metric} of {len(one.counted)} of {len(one.runs)} runs: {last or "not validated"}')


if __name__ == '__main__':
    run(main)

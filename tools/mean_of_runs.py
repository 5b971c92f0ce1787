"""Print the mean of several runs, such as those of split ids 0, 1 and 2.

    python tools/mean_of_runs.py work_dirs/dmt_voc_1of20/split0 work_dirs/dmt_voc_1of20/split1 ...

`last` is the last validation of each run; `best` is its best, which is selected on the validation set and so no honest
result. What follows ± is the sample standard deviation over the runs. All runs that are given count as one experiment,
whatever their configs; `tools/report.py` compares different ones. The lists of labeled images are those that the runs
name.
"""

from collections.abc import Sequence
from pathlib import Path

from mmdmt.command_line import parser_of, run
from mmdmt.reports.experiments import Spread
from mmdmt.reports.run import Run, read_run
from mmdmt.reports.wording import spread


def table(runs: Sequence[Run], metrics: Sequence[str]) -> list[str]:
    """Lay out the means; refuse runs that are damaged or not validated, or differ in their ends or metrics."""
    validated = [_validated(one, metrics) for one in runs]
    ends = {str(one.work_dir): one.validations[-1]['step'] for one in runs}
    if len(set(ends.values())) > 1:
        raise ValueError(f'The last validations are of different iterations, {ends}: let all runs end first.')
    for one, names in zip(runs, validated, strict=True):
        if names != validated[0]:
            raise ValueError(f'{one.work_dir} has {sorted(names)}, the first run {sorted(validated[0])}.')
    lines = [f'{len(runs)} runs, iteration {ends.popitem()[1]}']
    for name in validated[0]:
        scores = [score for one in runs if (score := one.score(*name.split('/', 1)))]
        last, best = Spread(tuple(score.last for score in scores)), Spread(tuple(score.best for score in scores))
        single = ' '.join(f'{value:.2f}' for value in last.values)
        lines.append(f'{name:<{max(map(len, validated[0]))}}  last {spread(last)} ({single})  best {spread(best)}')
    lists = dict.fromkeys(named for one in runs if (named := one.lists.get('labeled')))
    return lines + [f'labeled images: {named}' for named in lists]


def _validated(one: Run, metrics: Sequence[str]) -> list[str]:
    if one.unreadable:
        raise ValueError(
            f'{one.unreadable} lines of {one.work_dir}/*/events.jsonl and scalars.json are damaged: remove them.'
        )
    found = [f'{predictor}/{metric}' for predictor in one.predictors for metric in metrics]
    found = [name for name in found if one.score(*name.split('/', 1))]
    if not found:
        raise ValueError(
            f'No validation in {one.work_dir} has {" or ".join(metrics)}: has it run far enough? See --metric.'
        )
    return found


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command line."""
    parser = parser_of(__doc__)
    parser.add_argument('work_dirs', nargs='+', type=Path, help='the --work-dir of each run')
    parser.add_argument('--metric', nargs='+', default=['mIoU'], help='metrics to print (default: mIoU)')
    args = parser.parse_args(argv)
    print('\n'.join(table([read_run(path) for path in args.work_dirs], args.metric)))


if __name__ == '__main__':
    run(main)

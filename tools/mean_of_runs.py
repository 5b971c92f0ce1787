"""Print the mean of several runs, such as those of split ids 0, 1 and 2.

    python tools/mean_of_runs.py work_dirs/dmt_voc_1of20/split0 work_dirs/dmt_voc_1of20/split1 ...

`last` is the last validation of each run; `best` is its best, which is selected on the validation set and so no honest
result. What follows ± is the sample standard deviation over the runs. The lists of
labeled images are those that the logs name.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev

from mmdmt.reports.log import read_logs


def validations(work_dir: Path, metrics: Sequence[str]) -> list[dict[str, float]]:
    """Read the validations of a run, resumed or not, in their order.

    Args:
        work_dir: Of the run, with a folder of logs for each time it was started.
        metrics: Names of the metrics, without those of peers.

    Returns:
        For each validation `step`, its iteration, and every metric by its full name.

    Raises:
        FileNotFoundError: If there are no logs.
        ValueError: If no log holds one of the metrics.
    """
    logs = sorted(work_dir.glob('*/vis_data/scalars.json'))  # folders are named after the time
    if not logs:
        raise FileNotFoundError(f'{work_dir} holds no */vis_data/scalars.json: give the --work-dir of a run.')
    entries = (entry for log in logs for entry in entries_of(log))
    # What was validated again after a resume counts as it came out then.
    by_step = {entry['step']: found for entry in entries if (found := chosen(entry, metrics))}
    if not by_step:
        raise ValueError(
            f'No validation in {work_dir} has {" or ".join(metrics)}: has it run far enough? See --metric.'
        )
    return [{'step': step, **by_step[step]} for step in sorted(by_step)]


def labeled_list(work_dir: Path) -> str:
    """Return which labeled images a run used, in the words of its log; empty if it does not say."""
    return read_logs(sorted(work_dir.glob('*/*.log'))).lists.get('labeled', '')


def entries_of(log: Path) -> Iterator[dict[str, float]]:
    """Read a log line by line.

    Raises:
        ValueError: If a line is no entry of a log.
    """
    for number, line in enumerate(log.read_text().splitlines(), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError:
                raise ValueError(f'Line {number} of {log} is no entry of a log: remove it.') from None


def chosen(entry: Mapping[str, float], metrics: Sequence[str]) -> dict[str, float]:
    """Take the metrics out of an entry of a log: `mIoU` and `coco/mIoU` for the metric `mIoU`."""
    return {key: value for key, value in entry.items() if key.rpartition('/')[2] in metrics}


def table(runs: Mapping[str, Sequence[Mapping[str, float]]]) -> list[str]:
    """Lay out the means.

    Args:
        runs: The validations of each run by its name.

    Raises:
        ValueError: If the runs ended at different iterations or have different metrics.
    """
    ends = {name: int(run[-1]['step']) for name, run in runs.items()}
    if len(set(ends.values())) > 1:
        raise ValueError(f'The last validations are of different iterations, {ends}: let all runs end first.')
    names = [key for key in next(iter(runs.values()))[-1] if key != 'step']
    for name, run in runs.items():
        if [key for key in run[-1] if key != 'step'] != names:
            raise ValueError(f'{name} has {[key for key in run[-1] if key != "step"]}, the first run {names}.')
    width = max(map(len, names))
    lines = [f'{len(runs)} runs, iteration {ends.popitem()[1]}']
    for key in names:
        last = [run[-1][key] for run in runs.values()]
        best = [max(entry[key] for entry in run if key in entry) for run in runs.values()]
        single = ' '.join(f'{value:.2f}' for value in last)
        lines.append(f'{key:<{width}}  last {spread(last)} ({single})  best {spread(best)}')
    return lines


def spread(values: Sequence[float]) -> str:
    """Write a mean with the standard deviation, where there is one."""
    return f'{mean(values):.2f} ± {stdev(values):.2f}' if len(values) > 1 else f'{values[0]:.2f}'


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command line.

    Args:
        argv: The arguments. Default: None, those of the process.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('work_dirs', nargs='+', type=Path, help='the --work-dir of each run')
    parser.add_argument('--metric', nargs='+', default=['mIoU'], help='metrics to print (default: mIoU)')
    args = parser.parse_args(argv)
    print('\n'.join(table({str(path): validations(path, args.metric) for path in args.work_dirs})))
    lists = dict.fromkeys(named for path in args.work_dirs if (named := labeled_list(path)))
    print(''.join(f'labeled images: {named}\n' for named in lists), end='')


if __name__ == '__main__':
    try:
        main()
    except (ValueError, FileNotFoundError) as error:
        sys.exit(str(error))

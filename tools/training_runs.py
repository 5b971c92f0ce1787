"""Train several configs side by side, each in a process of its own, for `tools/compare.py`."""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from mmdmt.atomic_write import atomic_write, room_to_write

ROOT = Path(__file__).resolve().parents[1]
FEW_SCENES = 12


def shrink(config: Any, divisor: int) -> None:
    """Divide the iterations of every phase, validate at the end only, draw one image, and take few of the images."""
    dataset = config.train_dataloader.dataset
    for part in (dataset.get('unlabeled'), config.val_dataloader.dataset, config.test_dataloader.dataset):
        if part is not None:
            part['num_scenes' if part.type == 'mmdmt.DigitScenes' else 'indices'] = FEW_SCENES
    for hook in config.custom_hooks:
        if hook.type == 'mmdmt.PictureHook':
            hook.update(images=1, val_images=min(hook.get('val_images', 0), 1))
        if hook.type == 'mmdmt.DMTHook':
            for length in {'warm_up', 'iters'} & {*hook}:
                hook[length] = max(hook[length] // divisor, 1)
    config.train_cfg.val_interval = length_of(config)
    config.default_hooks.logger.interval = 1


def length_of(config: Any) -> int:
    """Add up the iterations of all phases of a config."""
    from mmdmt.registry import HOOKS  # takes seconds, which a help does not need

    (hook,) = (hook for hook in config.custom_hooks if hook.type == 'mmdmt.DMTHook')
    return HOOKS.build(hook).curriculum.total_iters


class TrainingRun:
    """One training, in a process of its own.

    Args:
        name: Of its folder in ``work_dir``, and of its log there.
        config: File of the config.
        work_dir: Folder of all runs.
        seed: Of the run.
        divisor: What the iterations are divided by, to try it out: see `shrink`. Default: 1.
        options: Settings in place of the config's, by dotted name. Default: none.
    """

    def __init__(
        self,
        name: str,
        config: Path,
        work_dir: Path,
        seed: int,
        divisor: int = 1,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        from mmengine.config import Config  # takes seconds, which a help does not need

        self.name, self.config, self.seed = name, config, seed
        self.work_dir, self.log = work_dir / name, work_dir / f'{name}.log'
        settings = Config.fromfile(config)
        settings.merge_from_dict(dict(options or {}))
        if divisor > 1:
            shrink(settings, divisor)
        if divisor > 1 or options:
            self.config = work_dir / f'{name}.py'
            with atomic_write(self.config) as unfinished:
                unfinished.write_text(settings.pretty_text)
        self.iters = length_of(settings)
        self.started = math.inf
        self.process: subprocess.Popen | None = None
        self.ended = self.stopped = False

    def train(self) -> None:
        """Train in the present folder; a failure exits with the end of the log."""
        self.started = time.time()
        command = [sys.executable, str(ROOT / 'tools' / 'train.py'), str(self.config), '--work-dir', str(self.work_dir)]
        command += ['--cfg-options', f'randomness.seed={self.seed}']
        # One thread a run: several small runs side by side are faster than one with several threads.
        environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'MKL_NUM_THREADS': '1'}
        with room_to_write(self.log), self.log.open('w') as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
        self.ended = not self.process.wait() and not self.stopped
        if not self.ended and not self.stopped:
            lines = self.log.read_text().splitlines()
            sys.exit(f'{self.name} failed; the end of {self.log}:\n' + '\n'.join(lines[-15:]))

    def stop(self) -> None:
        """End the training, if it is not done."""
        if self.process is not None and self.process.poll() is None:
            self.stopped = True
            self.process.terminate()

    @property
    def done(self) -> int:
        """The last iteration that was logged."""
        files = [path for path in self.work_dir.glob('*/vis_data/scalars.json') if path.stat().st_mtime > self.started]
        lines = max(files).read_text().splitlines() if files else []
        entries = (json.loads(line) for line in lines if line.endswith('}'))
        return max((entry['step'] for entry in entries if 'loss' in entry), default=0)


def train_all(rounds: Sequence[Sequence[TrainingRun]], jobs: int, minutes: float | None) -> None:
    """Train round after round, some runs side by side; if one fails, end the others.

    One bar shows the iterations of all runs and the time that is left, by the pace of minutes rather than seconds:
    labelings and validations stand between iterations.

    Args:
        rounds: The runs; those of a round begin when the round before has ended.
        jobs: How many are trained at once.
        minutes: When to stop what still trains; None for never.
    """
    runs = [run for round_ in rounds for run in round_]
    columns = (TextColumn('training'), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn('left'))
    columns += (TimeRemainingColumn(), TextColumn('{task.description}'))
    end = math.inf if minutes is None else time.monotonic() + 60 * minutes
    with Progress(*columns, speed_estimate_period=600) as progress:
        bar = progress.add_task('', total=sum(run.iters for run in runs))

        def tell(going: Sequence[TrainingRun]) -> None:
            now = ', '.join(f'{run.name} {run.done}/{run.iters}' for run in going[:3])
            progress.update(bar, completed=sum(run.done for run in runs), description=now)

        for round_ in rounds:
            if time.monotonic() < end:
                _train_round(round_, jobs, end, tell)
        tell(())


def _train_round(
    runs: Sequence[TrainingRun], jobs: int, end: float, tell: Callable[[Sequence[TrainingRun]], None]
) -> None:
    pool = ThreadPoolExecutor(jobs)
    try:
        pending = {pool.submit(run.train): run for run in runs}
        while pending:
            tell([run for run in pending.values() if run.log.exists()])
            done, _ = wait(pending, timeout=5, return_when=FIRST_COMPLETED)
            for future in done:
                del pending[future]
                future.result()
            if time.monotonic() > end:
                break
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for run in runs:
            run.stop()
        for run in runs:
            if run.stopped and run.process is not None:
                run.process.wait()


def draw(run: TrainingRun, path: Path, scenes: int = 6) -> None:
    """Draw what the peers of a run that has ended predict for some validation images, spread over the set."""
    import torch
    from mmengine.config import Config
    from mmengine.dataset import pseudo_collate
    from mmengine.registry import DATASETS, MODELS, init_default_scope
    from mmengine.runner import load_checkpoint

    from mmdmt.visualization import draw_predictions

    config = Config.fromfile(run.config)
    init_default_scope(config.default_scope)
    model = MODELS.build(config.model)
    load_checkpoint(model, str(run.work_dir / f'iter_{run.iters}.pth'), map_location='cpu')
    dataset = DATASETS.build(config.val_dataloader.dataset)
    scenes = min(scenes, len(dataset))
    batch = pseudo_collate([dataset[number * (len(dataset) // scenes)] for number in range(scenes)])
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

"""Train several configs side by side, each in a process of its own, for the scripts that compare them."""

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

from mmdmt.atomic_write import atomic_write, room_to_write

ROOT = Path(__file__).resolve().parents[1]
FEW_SCENES = 12


def shrink(config: Any, divisor: int) -> None:
    """Divide the iterations of every phase, validate at the end only, draw one image, and take few of the images."""
    dataset = config.train_dataloader.dataset
    for part in (dataset.get('unlabeled'), config.val_dataloader.dataset, config.test_dataloader.dataset):
        if part is not None and part.type == 'mmdmt.DigitScenes':
            part.num_scenes = FEW_SCENES
        elif part is not None:
            part.indices = FEW_SCENES
    for hook in config.custom_hooks:
        if hook.type == 'mmdmt.PictureHook':
            hook.update(images=1, val_images=min(hook.get('val_images', 0), 1))
        if hook.type == 'mmdmt.DMTHook':
            for length in {'warm_up', 'iters'} & {*hook}:
                hook[length] = max(hook[length] // divisor, 1)
    config.train_cfg.val_interval = length_of(config)
    config.default_hooks.logger.interval = 1


def length_of(config: Any) -> int:
    """Add up the iterations of all phases."""
    from mmdmt.registry import HOOKS  # with the whole stack

    (hook,) = (hook for hook in config.custom_hooks if hook.type == 'mmdmt.DMTHook')
    return HOOKS.build(hook).curriculum.total_iters


class TrainingRun:
    """One training, in a process of its own.

    Args:
        name: Of its folder in ``work_dir``, and of its log there.
        config: File of the config.
        work_dir: Folder of all runs.
        metric: Of the result, as ``<peer>/<metric>`` of a validation.
        seed: Of the run.
        divisor: What the iterations are divided by, to try it out: see `shrink`. Default: 1.
        options: Settings in place of the config's, by dotted name. Default: none.
    """

    def __init__(
        self,
        name: str,
        config: Path,
        work_dir: Path,
        metric: str,
        seed: int,
        divisor: int = 1,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        from mmengine.config import Config  # takes seconds, which a help does not need

        self.name = name
        self.metric = metric
        self.config = config
        self.work_dir = work_dir / name
        self.log = work_dir / f'{name}.log'
        self.seed = seed
        settings = Config.fromfile(config)
        if options:
            settings.merge_from_dict(dict(options))
        if divisor > 1:
            shrink(settings, divisor)
        if divisor > 1 or options:
            self.config = work_dir / f'{name}.py'
            with atomic_write(self.config) as unfinished:
                unfinished.write_text(settings.pretty_text)
        self.iters = length_of(settings)
        self.peers = list(settings.model.peers)
        self.scores: dict[str, float] = {}
        self.started = math.inf
        self.process: subprocess.Popen | None = None
        self.stopped = False

    def train(self) -> None:
        """Train in the present folder, and read the result of the last validation; a run that is stopped has none.

        Raises:
            SystemExit: If the training failed, with the end of its log.
        """
        self.started = time.time()
        command = [sys.executable, str(ROOT / 'tools' / 'train.py'), str(self.config), '--work-dir', str(self.work_dir)]
        # One thread a run: several small runs side by side are faster than one with several threads.
        environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'MKL_NUM_THREADS': '1'}
        with room_to_write(self.log), self.log.open('w') as log:
            self.process = subprocess.Popen(
                [*command, '--cfg-options', f'randomness.seed={self.seed}'],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
            )
        if self.process.wait() and not self.stopped:
            lines = self.log.read_text().splitlines()
            sys.exit(f'{self.name} failed; the end of {self.log}:\n' + '\n'.join(lines[-15:]))
        if self.stopped:
            return
        last = [entry for entry in self._scalars() if f'ensemble/{self.metric}' in entry][-1]
        self.scores = {name: round(last[f'{name}/{self.metric}'], 2) for name in [*self.peers, 'ensemble']}

    def stop(self) -> None:
        """End the training, if it is not done."""
        if self.process is not None and self.process.poll() is None:
            self.stopped = True
            self.process.terminate()

    @property
    def done(self) -> int:
        """The last iteration that was logged."""
        return max((entry['step'] for entry in self._scalars() if 'loss' in entry), default=0)

    def _scalars(self) -> list[dict]:
        files = [path for path in self.work_dir.glob('*/vis_data/scalars.json') if path.stat().st_mtime > self.started]
        lines = max(files).read_text().splitlines() if files else []
        return [json.loads(line) for line in lines if line.endswith('}')]


def train_all(
    runs: Sequence[TrainingRun],
    jobs: int,
    tell: Callable[[Sequence[TrainingRun]], None],
    seconds: float = 10,
    end: float | None = None,
) -> None:
    """Train all runs, some side by side; if one fails, end the others.

    Args:
        runs: The runs.
        jobs: How many are trained at once.
        tell: Called again and again with the runs that are not done, to say how far they are.
        seconds: How long it takes at most from one call to the next. Default: 10.
        end: When to stop what still trains, by ``time.monotonic()``. Default: None, never.

    Raises:
        SystemExit: If a run failed, with the end of its log.
    """
    pool = ThreadPoolExecutor(jobs)
    try:
        pending = {pool.submit(run.train): run for run in runs}
        while pending:
            tell([run for run in pending.values() if run.log.exists()])
            done, _ = wait(pending, timeout=seconds, return_when=FIRST_COMPLETED)
            for future in done:
                del pending[future]
                future.result()
            if end is not None and time.monotonic() > end:
                break
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for run in runs:
            run.stop()
        for run in runs:
            if run.stopped and run.process is not None:
                run.process.wait()


def draw(run: TrainingRun, path: Path, scenes: int = 6, apart: bool = False) -> None:
    """Draw what the peers of a run predict for some scenes of the validation set.

    Args:
        run: A run that has ended.
        path: The picture to write.
        scenes: How many. Default: 6.
        apart: Whether they are spread over the whole set, as for the frames of a video. Default: False, the first.
    """
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
    step = len(dataset) // scenes if apart else 1
    batch = pseudo_collate([dataset[number * step] for number in range(scenes)])
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

"""Measure memory, open files and seconds under load: many images, a large bank, many iterations.

Each measurement runs in a process of its own. `at first` is what it holds after a tenth of the work (four fifths of
training), or before what is done in one go; `growth` is what comes on top by the end. The table goes to the terminal,
the numbers to work_dirs/load/results.json; docs/en/performance.md shows them.
"""

import json
import multiprocessing
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import networks
import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.registry import DATASETS, init_default_scope
from mmengine.runner import Runner

from mmdmt.command_line import parser_of
from mmdmt.labels.labeling import label
from mmdmt.labels.manifest import Manifest
from mmdmt.labels.pixels.bank import BankWriter, PseudoLabelBank
from mmdmt.labels.pixels.labels import PixelLabels
from mmdmt.models.prediction import forward

ROOT = Path(__file__).resolve().parents[2]
CLASSES = 3
LINKS = 10_000  # names of one file; file systems allow 65 000 or so


@dataclass(frozen=True)
class Load:
    """One line of the table; MiB after a tenth of the work (of training four fifths), on top, and at most."""

    name: str
    amount: int
    seconds: float
    cpu: float
    first: float
    growth: float
    peak: float
    files: int


LINE = '{name:<32} {amount:>8} {seconds:>8.1f} {cpu:>8.1f} {first:>9.0f} {growth:>+8.1f} {peak:>9.0f} {files:>6}'


class Watch:
    """Note what the process holds while something is done; what is of fixed size is made in the ``settled`` part."""

    def __init__(self, name: str, amount: int, settled: float = 0.1) -> None:
        self.name, self.amount, self.settled = name, amount, settled
        self.resident: list[float] = []
        self.files = 0
        self._every = max(1, amount // 100)
        self._started = time.perf_counter(), time.process_time()

    def step(self, number: int) -> None:
        """Look at the process at every hundredth part of the work."""
        if number % self._every == 0:
            self.resident.append(status('VmRSS'))
            self.files = max(self.files, len(os.listdir('/proc/self/fd')))  # noqa: PTH208

    def result(self) -> Load:
        """Return the line of the table."""
        seconds, cpu = time.perf_counter() - self._started[0], time.process_time() - self._started[1]
        tenth, settled = len(self.resident) // 10, int(len(self.resident) * self.settled)
        # What is done in one go, like opening, is measured from before to after.
        first = float(np.median(self.resident[settled : settled + tenth])) if tenth else self.resident[0]
        last = float(np.median(self.resident[-max(1, tenth) :]))
        return Load(self.name, self.amount, seconds, cpu, first, last - first, status('VmHWM'), self.files)


def status(field: str) -> float:
    """Return a size of the process in MiB, as the system counts it."""
    lines = Path('/proc/self/status').read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f'{field}:')) / 1024


class ManyScenes(networks.Unlabeled):
    """As many images as wanted, made of a few."""

    def __init__(self, items: list[dict], amount: int, watch: Watch) -> None:
        super().__init__(items, CLASSES)
        self.amount, self.watch = amount, watch

    def num_unlabeled(self) -> int:
        """Return the number of images."""
        return self.amount

    def labeling_item(self, index: int) -> dict:
        """Return an image."""
        self.watch.step(index)
        return super().labeling_item(index % len(self.items))


def label_images(amount: int, size: int = 32) -> list[Load]:
    """Label images with two peers."""
    peers = {name: networks.build(networks.resnet18(width=4, classes=CLASSES, crop=size)) for name in ('left', 'right')}
    items = networks.noise_images(16, size, size)
    with tempfile.TemporaryDirectory() as folder:
        watch = Watch('label images, two peers', amount)
        scenes = ManyScenes(items, amount, watch)
        label(peers, scenes, PixelLabels(), forward, Path(folder), 'load', 1, 0.5, batch_size=8, num_workers=0)
        return [watch.result()]


def fill_bank(amount: int, size: int = 16) -> list[Load]:
    """Write a bank, and read from it in any order."""
    generator = np.random.default_rng(0)
    maps = [
        (generator.integers(0, CLASSES, (size, size)).astype(np.uint8), generator.random((size, size), np.float32))
        for _ in range(16)
    ]
    with tempfile.TemporaryDirectory() as folder:
        root, lines = Path(folder) / 'bank', []
        watch = Watch('write a bank', amount)
        with BankWriter(root) as writer:
            for image in range(amount):
                watch.step(image)
                writer.write(image, *maps[image % len(maps)])
        shares = (amount * size**2,) * CLASSES
        Manifest('load', 1, 'left', '', amount, '', 0.5, (0.5,) * CLASSES, shares, shares, 1).write(root)
        lines.append(watch.result())
        watch = Watch('read the bank in any order', amount)
        bank = PseudoLabelBank(root)
        for number, image in enumerate(generator.permutation(amount).tolist()):
            watch.step(number)
            bank.read(image)
        lines.append(watch.result())
    return lines


def open_data(amount: int) -> list[Load]:
    """Build the dataset of a run with many unlabeled images."""
    init_default_scope('mmseg')
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / 'images').mkdir()
        (root / 'masks').mkdir()
        image = np.random.default_rng(0).integers(0, 255, (32, 32, 3)).astype(np.uint8)
        cv2.imwrite(str(root / 'images' / 'labeled.png'), image)
        cv2.imwrite(str(root / 'masks' / 'labeled.png'), image[..., 0] % CLASSES)
        names = [f'{number:06d}' for number in range(amount)]
        for first in range(0, amount, LINKS):  # one file by many names
            path = root / 'images' / f'{names[first]}.png'
            cv2.imwrite(str(path), image)
            for name in names[first + 1 : first + LINKS]:
                (root / 'images' / f'{name}.png').hardlink_to(path)
        (root / 'labeled.txt').write_text('labeled\n')
        (root / 'unlabeled.txt').write_text('\n'.join(names) + '\n')
        meta = {'classes': tuple('abc'), 'palette': [[0] * 3] * CLASSES}
        part = {'type': 'BaseSegDataset', 'data_root': folder, 'img_suffix': '.png', 'metainfo': meta}
        pipeline = [{'type': name} for name in ('LoadImageFromFile', 'LoadAnnotations', 'PackSegInputs')]
        labeled = {**part, 'ann_file': 'labeled.txt', 'pipeline': pipeline}
        labeled['data_prefix'] = {'img_path': 'images', 'seg_map_path': 'masks'}
        unlabeled = {**part, 'ann_file': 'unlabeled.txt', 'data_prefix': {'img_path': 'images'}}
        watch = Watch('build the dataset', amount)
        watch.step(0)
        DATASETS.build(dict(type='mmdmt.MutualDataset', labeled=labeled, unlabeled=unlabeled))
        watch.step(0)
        return [watch.result()]


class WatchHook(Hook):
    """Look at the process after every iteration."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """Look."""
        self.watch.step(batch_idx)


def soak(amount: int) -> list[Load]:
    """Train the demo: a warm-up and four phases, with a checkpoint and a validation in each."""
    part = amount // 5
    phase = {'iters': part, 'labeled': 1, 'pseudo': 1, 'label_ratio': 0.5}
    with tempfile.TemporaryDirectory() as folder:
        config = networks.demo(folder, [{'iters': amount - 4 * part, 'labeled': 2}, *[phase] * 4], 0, part)
        config.train_dataloader.batch_size = 2
        runner = Runner.from_cfg(config)
        # What a phase change leaves is collected some iterations later: from the last phase on, nothing new is made.
        watch = Watch('train, five phases', amount, settled=0.8)
        runner.register_hook(WatchHook(watch), priority='LOWEST')
        runner.train()
        return [watch.result()]


MEASUREMENTS: dict[Callable[[int], list[Load]], int] = {
    label_images: 20_000,
    fill_bank: 200_000,
    open_data: 200_000,
    soak: 2_000,
}


def measure(number: int, amount: int) -> list[Load]:
    """Run one measurement quietly; called in a process of its own."""
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    warnings.filterwarnings('ignore')
    MMLogger.get_instance(f'load {number}', log_level='ERROR')
    return list(MEASUREMENTS)[number](amount)


def main(argv: Sequence[str] | None = None) -> None:
    """Run all of them, each in a fresh process."""
    parser = parser_of(__doc__)
    names = [function.__name__ for function in MEASUREMENTS]
    parser.add_argument('--only', metavar='NAME', choices=names, action='append', help=f'one of {", ".join(names)}')
    parser.add_argument('--scale', type=float, default=1.0, help='of all amounts (default: 1)')
    parser.add_argument('--work-dir', type=Path, default=ROOT / 'work_dirs' / 'load')
    args = parser.parse_args(argv)
    lines: list[Load] = []
    names = ('what', 'amount', 'seconds', 'cpu s', 'at first', 'growth', 'peak MiB', 'files')
    print('{:<32} {:>8} {:>8} {:>8} {:>9} {:>8} {:>9} {:>6}'.format(*names), flush=True)
    for number, (function, amount) in enumerate(MEASUREMENTS.items()):
        if args.only and function.__name__ not in args.only:
            continue
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context('spawn')) as pool:
            found = pool.submit(measure, number, max(20, int(amount * args.scale))).result()
        print('\n'.join(LINE.format(**asdict(line)) for line in found), flush=True)
        lines += found
    args.work_dir.mkdir(parents=True, exist_ok=True)
    path = args.work_dir / 'results.json'
    path.write_text(json.dumps([asdict(line) for line in lines], indent=1) + '\n')
    print(f'results in {path}')


if __name__ == '__main__':
    main()

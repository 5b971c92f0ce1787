"""Measure on a CUDA device: loss, iteration, labeling, a phase, mixed precision; run the tests marked `gpu`.

The table goes to the terminal, the numbers to work_dirs/gpu/results.json. Without a CUDA device it says so, and
ends well.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import iteration
import loss
import networks
import phase
import torch
from labeling import CITYSCAPES_SIZE, VOC_SIZE
from mmengine.dataset import pseudo_collate

from mmdmt.command_line import parser_of
from mmdmt.labels.pixels.recorder import PixelRecorder
from mmdmt.models.prediction import forward

ROOT = Path(__file__).resolve().parents[2]
PRECISIONS = {'float32': None, 'float16': torch.float16, 'bfloat16': torch.bfloat16}
Rows = dict[str, float]


def milliseconds(function: Callable[[], Any], device: torch.device, repeats: int) -> float:
    """Return the median time of a function, all that it starts on the device included."""
    samples = []
    for number in range(repeats + 2):  # two to warm up
        _wait(device)
        start = time.perf_counter()
        function()
        _wait(device)
        if number >= 2:
            samples.append((time.perf_counter() - start) * 1e3)
    return statistics.median(samples)


def loss_rows(device: torch.device, repeats: int, shape: tuple[int, ...] = loss.SHAPE) -> Rows:
    """Time forward and backward of ours, the naive loss and cross entropy."""
    logits, label, confidence = (tensor.to(device) for tensor in loss.batch(shape))
    return {
        f'loss_{kind}_{name}_ms': milliseconds(step, device, repeats)
        for name, dtype in PRECISIONS.items()
        for kind, step in loss.steps(logits.to(dtype or torch.float32), label, confidence).items()
    }


def iteration_rows(device: torch.device, repeats: int, crop: int = 320, images: int = 8, width: int = 64) -> Rows:
    """Time an iteration of two peers and of each alone, in each precision."""
    rows = {}
    for name, dtype in PRECISIONS.items():
        for kind, trainings in (
            ('dmt', [iteration.mutual(crop, images, width)]),
            ('plain', iteration.plain(crop, images, width)),
        ):
            for each in trainings:
                each.model.to(device)
            steps = partial(_in_precision, [each.step for each in trainings], device, dtype)
            rows[f'iteration_{kind}_{name}_ms'] = milliseconds(steps, device, repeats)
    return rows


@torch.no_grad()
def labeling_rows(
    device: torch.device,
    images: int = 32,
    batch_size: int = 4,
    sizes: Sequence[tuple[int, int]] = (VOC_SIZE, CITYSCAPES_SIZE),
    width: int = 64,
) -> Rows:
    """Label images of two sizes: images a second."""
    peer = networks.build(networks.resnet18(width)).to(device).eval()
    rows = {}
    for size in sizes:
        data = pseudo_collate(networks.noise_images(batch_size, *size))

        def label(data: dict = data) -> None:
            with tempfile.TemporaryDirectory() as folder, PixelRecorder(Path(folder), images, 21) as recorder:
                for first in range(0, images, batch_size):
                    recorder.record(range(first, first + batch_size), forward(peer, data))

        for name, dtype in PRECISIONS.items():
            whole = milliseconds(partial(_in_precision, [label], device, dtype), device, 3)
            rows[f'labeling_{size[1]}_{name}_images_per_s'] = images / whole * 1e3
    return rows


def _in_precision(steps: Sequence[Callable[[], None]], device: torch.device, dtype: torch.dtype | None) -> None:
    with torch.autocast(device.type, dtype, enabled=dtype is not None):
        for step in steps:
            step()


def phase_rows(
    device: torch.device, size: int = 321, images: int = 32, iterations: int = 16, batch: int = 8, width: int = 64
) -> Rows:
    """Run a phase, labeling and training, against the steps of the paper's own code: ratios of time, disk, memory."""
    rows = phase.phase_time(3, size, images, iterations, batch, width, device.type)
    return {name: statistics.median(samples) for name, samples in rows.items()}


def _wait(device: torch.device) -> None:
    if device.type == 'cuda':
        torch.cuda.synchronize(device)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the tests and the measurements."""
    parser = parser_of(__doc__)
    parser.add_argument('--repeats', type=int, default=20, help='rounds of what is timed (default: 20)')
    parser.add_argument('--no-tests', action='store_true', help='measure only')
    parser.add_argument('--work-dir', type=Path, default=ROOT / 'work_dirs' / 'gpu')
    args = parser.parse_args(argv)
    if not torch.cuda.is_available():
        print(f'No CUDA device is found (torch {torch.__version__}): nothing is tested or measured.')
        return
    device = torch.device('cuda')
    results: dict[str, Any] = {
        'card': torch.cuda.get_device_name(device),
        'torch': torch.__version__,
        'tests': 'not run',
        'rows': {},
    }
    if not args.no_tests:
        tests = subprocess.run([sys.executable, '-m', 'pytest', '-q', '-m', 'gpu', 'tests'], cwd=ROOT, check=False)
        results['tests'] = f'failed with {tests.returncode}' if tests.returncode else 'passed'
    args.work_dir.mkdir(parents=True, exist_ok=True)
    measurements = (
        partial(loss_rows, repeats=args.repeats),
        partial(iteration_rows, repeats=args.repeats),
        labeling_rows,
        phase_rows,
    )
    rows = results['rows']
    for measure in measurements:  # what has been measured stands in the file, however the next one ends
        rows.update(measure(device))
        (args.work_dir / 'results.json').write_text(json.dumps(results, indent=2) + '\n')
    print(f'{results["card"]}, torch {torch.__version__}; tests {results["tests"]}')
    for name, value in rows.items():
        print(f'{name:<52} {value:>10.3g}')


if __name__ == '__main__':
    main()

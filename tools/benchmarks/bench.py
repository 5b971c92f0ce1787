"""Measure what the package adds to plain training, side by side with plain training and with the naive way.

Times are ratios within one run, each the median over rounds in which the compared things take turns. The table goes to
the terminal, the numbers to work_dirs/bench/results.json. docs/en/performance.md says what each row means.
"""

import argparse
import json
import os
import platform
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import iteration
import labeling
import loader
import loss
import online
import phase
import phases
import torch
from measure import Row
from mmengine.logging import MMLogger

from mmdmt.command_line import parser_of
from mmdmt.engine.events import versions

ROOT = Path(__file__).resolve().parents[2]
MEASUREMENTS: dict[Callable[..., list[Row]], tuple[str, ...]] = {
    loss.loss_time: ('loss_vs_naive', 'loss_vs_cross_entropy', 'loss_bf16_vs_cross_entropy'),
    loss.loss_memory: ('loss_memory_vs_naive', 'loss_memory_vs_cross_entropy'),
    labeling.labeling_time: ('labeling_vs_naive', 'labeling_vs_forward'),
    labeling.bank_size: ('bank_bytes_per_pixel',),
    labeling.bank_time: ('bank_codec_vs_forward', 'bank_read_vs_mask_png', 'codec_bytes_per_pixel'),
    loader.sample_time: ('sample_labeled_vs_mmseg', 'sample_pseudo_vs_mmseg'),
    iteration.iteration_time: ('iteration_vs_plain',),
    iteration.iteration_memory: ('iteration_memory_vs_plain',),
    online.online_time: ('online_vs_offline', 'online_vs_offline_half_labeled', 'weak_vs_online'),
    online.online_memory: ('online_memory_vs_offline', 'weak_memory_vs_online'),
    online.mixing_time: ('cutmix_share', 'classmix_share', 'blockmask_share'),
    phase.phase_time: ('phase_vs_reference', 'phase_disk_vs_reference', 'phase_memory_vs_reference'),
    phases.run_time: ('phase_start_s', *(f'loader_wait_share_{number}_workers' for number in phases.WORKERS)),
    phases.resume_time: ('resume_10k_s',),
}


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = parser_of(__doc__)
    names = [name for rows in MEASUREMENTS.values() for name in rows]
    parser.add_argument('--only', metavar='NAME', choices=names, action='append', help='measure this row; repeatable')
    parser.add_argument('--repeats', type=int, default=5, help='rounds of what is timed (default: 5)')
    parser.add_argument('--work-dir', type=Path, default=ROOT / 'work_dirs' / 'bench')
    return parser.parse_args(argv)


def line(row: Row) -> str:
    """Show a row."""
    sign = {'higher': '>=', 'lower': '<='}[row.better]
    target = '' if row.target is None else f'{sign} {row.target:g}'
    met = {None: '', True: 'yes', False: 'NO'}[row.met]
    spread = f'{min(row.samples):.3g} .. {max(row.samples):.3g}' if len(row.samples) > 1 else ''
    return f'{row.name:<30} {row.value:>9.3g}  {spread:<18} {target:<8} {met}'.rstrip()


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    args = parse_args(argv)
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    warnings.filterwarnings('ignore')
    started = time.monotonic()
    rows = []
    print(f'{"row":<30} {"value":>9}  {"min .. max":<18} {"target":<8} met', flush=True)
    for measure, names in MEASUREMENTS.items():
        wanted = [name for name in names if args.only is None or name in args.only]
        if not wanted:
            continue
        MMLogger.get_instance(f'bench {measure.__name__}', log_level='ERROR')
        for row in measure(args.repeats):
            if row.name in wanted:
                rows.append(row)
                print(line(row), flush=True)
    seconds = time.monotonic() - started
    args.work_dir.mkdir(parents=True, exist_ok=True)
    results = {
        'rows': [row.as_dict() for row in rows],
        'repeats': args.repeats,
        'seconds': round(seconds),
        'machine': f'{platform.machine()}, {os.cpu_count()} cores, 1 thread used',
        'versions': versions(),
    }
    path = args.work_dir / 'results.json'
    path.write_text(json.dumps(results, indent=2) + '\n')
    print(f'\n{seconds:.0f} s; results in {path}')


if __name__ == '__main__':
    main()

"""Measure what the package adds to plain training, side by side with plain training and with the naive way.

Times are ratios within one run, each the median over rounds in which the compared things take turns. The table goes to
the terminal, the numbers to work_dirs/bench/results.json. docs/en/performance.md says what each row means.
"""

import json
import os
import platform
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import iteration
import labeling
import loader
import loss
import phase
import phases
import torch
from measure import Rows
from mmengine.logging import MMLogger

from mmdmt.command_line import parser_of
from mmdmt.engine.events import versions

ROOT = Path(__file__).resolve().parents[2]
#: The rows of each measurement, and what they are to reach.
MEASUREMENTS: dict[Callable[..., Rows], dict[str, str]] = {
    loss.loss_time: {'loss_vs_naive': '>= 3', 'loss_vs_cross_entropy': '<= 1.25', 'loss_bf16_vs_cross_entropy': ''},
    loss.loss_memory: {'loss_memory_vs_naive': '<= 0.5', 'loss_memory_vs_cross_entropy': ''},
    labeling.labeling_time: {'labeling_vs_naive': '>= 2', 'labeling_vs_forward': '<= 1.15'},
    labeling.bank_size: {'bank_bytes_per_pixel': '<= 1.3'},
    labeling.bank_time: {
        'bank_codec_vs_forward': '<= 0.15',
        'bank_read_vs_mask_png': '<= 1',
        'codec_bytes_per_pixel': '<= 1.2',
    },
    loader.sample_time: {'sample_labeled_vs_mmseg': '<= 1.15', 'sample_pseudo_vs_mmseg': '<= 1.15'},
    iteration.iteration_time: {'iteration_vs_plain': '<= 1.05'},
    iteration.iteration_memory: {'iteration_memory_vs_plain': '<= 1.03'},
    iteration.online_time: {
        'online_vs_offline': '<= 1.35',
        'online_vs_offline_half_labeled': '<= 1.35',
        'weak_vs_online': '<= 1.02',
    },
    iteration.online_memory: {'online_memory_vs_offline': '<= 1.05', 'weak_memory_vs_online': '<= 1.02'},
    iteration.mixing_time: dict.fromkeys(('cutmix_share', 'classmix_share', 'blockmask_share'), '<= 0.02'),
    phase.phase_time: {'phase_vs_reference': '<= 0.6', 'phase_disk_vs_reference': '', 'phase_memory_vs_reference': ''},
    phases.run_time: {
        'phase_start_s': '<= 1',
        'loader_wait_share_0_workers': '',
        'loader_wait_share_2_workers': '<= 0.1',
        'loader_wait_share_4_workers': '',
    },
    phases.resume_time: {'resume_10k_s': '<= 1'},
}


def row(name: str, samples: Sequence[float], target: str) -> dict[str, Any]:
    """Return a row for ``results.json``: the median of the repeats, and whether it reaches the target."""
    value = statistics.median(samples)
    sign, wanted = (target.split()[0], float(target.split()[1])) if target else ('', None)
    met = None if wanted is None else value >= wanted if sign == '>=' else value <= wanted
    spread = [min(samples), max(samples)]
    return {'name': name, 'value': value, 'target': target, 'met': met, 'repeats': len(samples), 'spread': spread}


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = parser_of(__doc__)
    names = [name for rows in MEASUREMENTS.values() for name in rows]
    parser.add_argument('--only', metavar='NAME', choices=names, action='append', help='measure this row; repeatable')
    parser.add_argument('--repeats', type=int, default=5, help='rounds of what is timed (default: 5)')
    parser.add_argument('--work-dir', type=Path, default=ROOT / 'work_dirs' / 'bench')
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    warnings.filterwarnings('ignore')
    started = time.monotonic()
    rows = []
    print(f'{"row":<30} {"value":>9}  {"min .. max":<18} {"target":<8} met', flush=True)
    for measure, targets in MEASUREMENTS.items():
        if args.only and not set(args.only) & set(targets):
            continue
        MMLogger.get_instance(f'bench {measure.__name__}', log_level='ERROR')
        for name, samples in measure(args.repeats).items():
            if args.only and name not in args.only:
                continue
            rows.append(one := row(name, samples, targets[name]))
            spread = '{:.3g} .. {:.3g}'.format(*one['spread']) if len(samples) > 1 else ''
            met = {None: '', True: 'yes', False: 'NO'}[one['met']]
            print(f'{name:<30} {one["value"]:>9.3g}  {spread:<18} {one["target"]:<8} {met}'.rstrip(), flush=True)
    results = {
        'rows': rows,
        'repeats': args.repeats,
        'seconds': round(time.monotonic() - started),
        'machine': f'{platform.machine()}, {os.cpu_count()} cores, 1 thread used',
        'versions': versions(),
    }
    args.work_dir.mkdir(parents=True, exist_ok=True)
    path = args.work_dir / 'results.json'
    path.write_text(json.dumps(results, indent=2) + '\n')
    print(f'\n{results["seconds"]} s; results in {path}')


if __name__ == '__main__':
    main()

"""Whether two runs have ended alike, to the bit."""

import numpy as np
import torch

from mmdmt.labels.manifest import Manifest
from toys.told import scalars_of


def differences(one, other, where=''):
    """Yield where two nested values differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            yield f'{where}: {sorted(map(str, one.keys() ^ other.keys()))}'
        for key in one.keys() & other.keys():
            yield from differences(one[key], other[key], f'{where}/{key}')
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        for number, pair in enumerate(zip(one, other, strict=True)):
            yield from differences(*pair, f'{where}/{number}')
    elif isinstance(one, torch.Tensor | np.ndarray):
        if type(one) is not type(other) or not np.array_equal(np.asarray(one), np.asarray(other), equal_nan=True):
            yield where
    elif one != other and not (one != one and other != other):
        yield f'{where}: {one} and {other}'


def outcome(work_dir, iteration=9):
    """What a run has come to: all in its last checkpoint that does not tell the time, its validations, its banks."""
    checkpoint = torch.load(work_dir / f'iter_{iteration}.pth')
    hub = checkpoint['message_hub']
    validations = {}
    for entry in scalars_of(work_dir, 'ensemble/mIoU'):
        validations[entry['step']] = {key: value for key, value in entry.items() if 'time' not in key}
    manifests = {}
    for path in sorted(work_dir.glob('pseudo_labels/*/phase_*/*/manifest.json')):
        manifest = Manifest.read(path.parent)
        manifests[manifest.phase, manifest.peer] = (manifest.weights, manifest.thresholds, manifest.kept)
    return {
        **{key: checkpoint.get(key) for key in ('state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers')},
        'dmt': {key: value for key, value in checkpoint['dmt'].items() if key != 'run'},
        'history': {key: hub['log_scalars'][key]._log_history for key in hub['log_scalars'] if key.endswith('loss')},
        'best': {
            key: str(value).rpartition('/')[2] for key, value in hub['runtime_info'].items() if key.startswith('best_')
        },
        'best_files': sorted(path.name for path in work_dir.glob('best_*.pth')),
        'validations': validations,
        'manifests': manifests,
    }

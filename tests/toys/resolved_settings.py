"""Resolve a config to what a run reads of it, whatever words say it: every phase, list and length written out."""

import hashlib
import json
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from mmdmt.engine import DMTHook
from mmdmt.method.phases import PHASE_WORDS, Phase
from mmdmt.registry import HOOKS
from mmdmt.rules.source_files import name_lists

#: What a runner takes; other names in a config are there for other lines of configs.
READ = {
    'model', 'optim_wrapper', 'param_scheduler', 'load_from', 'resume', 'randomness', 'default_scope', 'custom_imports',
    'default_hooks', 'custom_hooks', 'env_cfg', 'model_wrapper_cfg', 'visualizer', 'log_processor', 'log_level',
    'data_preprocessor',
    *(f'{stage}_{part}' for stage in ('train', 'val', 'test') for part in ('dataloader', 'cfg', 'evaluator')),
}  # fmt: skip


def resolved(settings: dict[str, Any]) -> dict[str, Any]:
    """Write out what a config says in short: phases, the length of the run, and paths from the working folder."""
    read = {name: value for name, value in settings.items() if name in READ}
    for number, words in enumerate(read.get('custom_hooks', [])):
        if words['type'] == 'mmdmt.DMTHook':
            hook = HOOKS.build(words)
            kept = {name: value for name, value in words.items() if name not in PHASE_WORDS}
            read['custom_hooks'][number] = {**kept, 'phases': [_given(phase) for phase in hook.curriculum.phases]}
            read['train_cfg'] = _length(read['train_cfg'], hook)
    loader = read['train_dataloader']
    if 'lists' in loader['dataset']:
        loader['dataset'] = name_lists(loader['dataset'])
    return _plain(read)


def digest(settings: dict[str, Any]) -> str:
    """Return the SHA-256 of what :func:`resolved` makes of a config."""
    return hashlib.sha256(json.dumps(resolved(settings), sort_keys=True).encode()).hexdigest()


def _given(phase: Phase) -> dict[str, Any]:
    """Return what of a phase is not as always."""
    values = {field.name: (getattr(phase, field.name), field.default) for field in fields(Phase)}
    return {name: value for name, (value, default) in values.items() if default is MISSING or value != default}


def _length(train_cfg: dict[str, Any], hook: DMTHook) -> dict[str, Any]:
    if train_cfg['type'] != 'mmdmt.PhaseTrainLoop':
        return train_cfg
    plain = {**train_cfg, 'type': 'IterBasedTrainLoop', 'max_iters': hook.curriculum.total_iters}
    interval = plain.pop('phase_val_interval', None)
    return {**plain, 'dynamic_intervals': [(hook.curriculum.warm_up, interval)]} if interval else plain


def _plain(value: Any, name: str = '') -> Any:
    if isinstance(value, dict):
        if name == 'peers' and 'constructor' not in value:
            return [[key, _plain(inner)] for key, inner in value.items()]  # in their order: it says who labels for whom
        value = _from_here(value)
        return {key: _plain(inner, key) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value.replace(f'{Path.cwd()}/', '') if isinstance(value, str) else value


def _from_here(dataset: dict[str, Any]) -> dict[str, Any]:
    """Name the files of a dataset from the working folder, as MMEngine finds them by data_root."""
    if 'data_prefix' not in dataset:
        return dataset
    root = dataset.get('data_root') or ''
    rest = {key: value for key, value in dataset.items() if key != 'data_root'}
    rest['data_prefix'] = {key: str(Path(root, value)) for key, value in rest['data_prefix'].items()}
    return {**rest, 'ann_file': str(Path(root, rest['ann_file']))} if rest.get('ann_file') else rest

"""Whether the plain values in a checkpoint can be those of a run, and lead nowhere else, whoever has written them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from mmengine.hooks import EMAHook
from mmengine.logging import HistoryBuffer
from mmengine.runner import Runner
from torch import Tensor

from mmdmt.engine.last_checkpoint import CheckpointFiles, checkpoint_files
from mmdmt.engine.optimizer_state import faults_of_optimizers
from mmdmt.engine.plain_values import short, stranger
from mmdmt.models.weights import fault_of

PARTS = ('dmt', 'meta', 'state_dict', 'optimizer', 'message_hub')
_RUN = re.compile(r'[A-Za-z0-9][A-Za-z0-9_-]{0,63}')


def check_parts(path: str, checkpoint: Mapping[str, Any]) -> None:
    """Check that a checkpoint is one of a run with DMTHook.

    Args:
        path (str): Of the checkpoint, for the error message.
        checkpoint (Mapping): Its content.

    Raises:
        ValueError: If a part of it is missing.
    """
    if not set(PARTS) <= set(checkpoint):
        raise ValueError(
            f'{path}, the checkpoint to resume, was not written by a run with DMTHook and cannot be resumed: start '
            'from its weights with load_from, without --resume.'
        )


def check_state(path: str, checkpoint: Mapping[str, Any], runner: Runner, total: int) -> None:
    """Check everything in a checkpoint that a resumed run takes over, weights aside.

    Args:
        path (str): Of the checkpoint, for the error message.
        checkpoint (Mapping): Its content; all parts are there.
        runner (Runner): About to resume; optimizers and schedules are built.
        total (int): Iterations of the whole run.

    Raises:
        ValueError: If a value is missing or cannot be that of a run.
    """
    faults = (
        *_faults_of_run(checkpoint['dmt'], checkpoint['meta'], total),
        *_faults_of_hub(checkpoint['message_hub']),
        *faults_of_optimizers(checkpoint['optimizer'], runner),
        *_faults_of_schedules(checkpoint.get('param_schedulers'), runner),
        *_faults_of_averages(checkpoint, runner),
    )
    if faults:
        raise ValueError(
            f'{path}, the checkpoint to resume, has {faults[0]}: a run resumed from it would not be the same. Resume '
            'from another checkpoint, or start from its weights with load_from, without --resume.'
        )


def _faults_of_run(dmt: Any, meta: Any, total: int) -> Iterator[str]:
    if not isinstance(dmt, Mapping) or not isinstance(meta, Mapping):
        yield 'a dmt or meta that holds no values by name'
        return
    run, ends, best = dmt.get('run'), dmt.get('ends'), dmt.get('best')
    if not isinstance(run, str) or not _RUN.fullmatch(run):
        yield f'dmt.run={short(run)}, which must be the name of a run: letters, digits, - and _'
    if not isinstance(ends, list) or not ends or not all(map(_is_count, ends)) or sorted(set(ends)) != ends:
        yield f'dmt.ends={short(ends)}, which must be the rising iterations at which phases end'
    if not isinstance(best, Mapping) or not all(_is_score(*item) for item in best.items()):
        yield f'dmt.best={short(best)}, which must be scores by peer'
    iteration = _value(meta, 'iter')
    if not _is_count(iteration) or iteration > total:
        yield f'meta.iter={short(iteration)}, which must be an iteration from 0 to {total}, the last of the run'
    if not _is_count(meta.get('epoch')):
        yield f'meta.epoch={short(meta.get("epoch"))}, which must be a whole number >= 0'
    seed = meta.get('seed')
    if seed is not None and not (_is_count(seed) and seed < 2**32):
        yield f'meta.seed={short(seed)}, which must be a whole number from 0 to 2**32 - 1'


def _faults_of_hub(hub: Any) -> Iterator[str]:
    scalars, info, resumed = parts = [_value(hub, key) for key in ('log_scalars', 'runtime_info', 'resumed_keys')]
    if not all(isinstance(part, Mapping) and all(isinstance(key, str) for key in part) for part in parts):
        yield 'a message_hub without log_scalars, runtime_info and resumed_keys by name'
        return
    if not all(isinstance(value, HistoryBuffer) and _is_history(value) for value in scalars.values()):
        yield 'log_scalars of message_hub that are not histories'
    if not all(isinstance(value, bool) for value in resumed.values()):
        yield 'resumed_keys of message_hub that are neither true nor false'
    for key, score in info.items():
        if key.startswith('best_score') and not (isinstance(score, int | float | np.number) and score == score):
            yield f'{key}={short(score)}, which must be a number'
    kept = info.get('keep_ckpt_ids', [])
    if not isinstance(kept, list) or not all(map(_is_count, kept)):
        yield f'keep_ckpt_ids={short(kept)}, which must be iterations'


def _faults_of_schedules(states: Any, runner: Runner) -> Iterator[str]:
    built = runner.param_schedulers
    if built is None:
        return
    if states is None:
        yield (
            'no param_schedulers (CheckpointHook has save_param_scheduler=False, or it is the checkpoint of a best '
            'validation)'
        )
        return
    expected = built if isinstance(built, Mapping) else {'': built}
    given = states if isinstance(built, Mapping) else {'': states}
    if not isinstance(given, Mapping) or {key: _length(value) for key, value in given.items()} != {
        key: len(value) for key, value in expected.items()
    }:
        yield 'param_schedulers of another config'
        return
    for name, schedulers in expected.items():
        for state, scheduler in zip(given[name], schedulers, strict=True):
            own = scheduler.state_dict()
            unknown = sorted(map(str, set(state) - set(own)))
            found = f'{unknown[0]}, which it does not have' if unknown else stranger(state, own)
            steps = [key for key in ('last_step', '_global_step') if not found and state.get(key, 0) < -1]
            if found or steps:
                told = found or f'{steps[0]}={state[steps[0]]}'
                yield f'param_schedulers of another config: {type(scheduler).__name__} has {told}'


def _faults_of_averages(checkpoint: Mapping[str, Any], runner: Runner) -> Iterator[str]:
    hooks = [hook for hook in runner.hooks if isinstance(hook, EMAHook)]
    if not hooks and 'ema_state_dict' in checkpoint:
        # EMAHook stores the averages as state_dict, and what was trained as ema_state_dict.
        yield 'averages as its weights, though the config has no EMAHook'
    for hook in hooks:
        if 'ema_state_dict' not in checkpoint:
            yield 'no ema_state_dict, though the config has an EMAHook'
            return
        given, own = checkpoint['ema_state_dict'], hook.ema_model.state_dict()
        if not isinstance(given, Mapping) or set(given) != set(own):
            strange = set(given) ^ set(own) if isinstance(given, Mapping) else {type(given).__name__}
            yield f'an ema_state_dict of another network, see {short(min(map(str, strange)))}'
            return
        for name, value in given.items():
            like = isinstance(value, Tensor) and (value.shape, value.dtype) == (own[name].shape, own[name].dtype)
            fault = fault_of(value, own[name]) if like else 'another shape or type'
            if fault:
                yield f'{fault} in {name!r} of its ema_state_dict'
                return


def _is_history(history: HistoryBuffer) -> bool:
    values = [vars(history).get(key) for key in ('_log_history', '_count_history')]
    plain = all(isinstance(one, np.ndarray) and one.ndim == 1 and one.dtype.kind in 'biuf' for one in values)
    alike = plain and len(values[0]) == len(values[1])
    return alike and _is_count(vars(history).get('max_length')) and '_statistics_methods' not in vars(history)


def _length(states: Any) -> int:
    return len(states) if isinstance(states, list) and all(isinstance(state, Mapping) for state in states) else -1


def confine(checkpoint: dict[str, Any], runner: Runner) -> None:
    """Take out of a checkpoint what MMEngine would run, and lead its paths back into the run's own folder.

    MMEngine executes ``meta.config`` as Python when a run is resumed, and removes the file or folder that
    ``message_hub`` names as the best checkpoint once there is a better one.

    Args:
        checkpoint (dict): As it was loaded; changed in place, before MMEngine looks at it.
        runner (Runner): Whose folder it is.
    """
    meta, hub = checkpoint.get('meta'), checkpoint.get('message_hub')
    if isinstance(meta, dict) and meta.pop('config', None) is not None:
        runner.logger.warning('The checkpoint has a meta.config, which MMEngine would execute: it is dropped.')
    info = hub.get('runtime_info') if isinstance(hub, Mapping) else None
    if isinstance(info, dict):
        files = checkpoint_files(runner)
        for key in [key for key in info if isinstance(key, str) and re.match('(best|last)_ckpt', key)]:
            info[key] = _own_path(info[key], files)


def _own_path(value: Any, files: CheckpointFiles | None) -> str | None:
    """Return where a checkpoint of this name lies in the run's own folder; None if it is not a name of a checkpoint."""
    if not isinstance(value, str) or files is None:
        return None
    name = re.split(r'[\\/]', value)[-1]
    # best_<metric>_<ordinary name>, or the ordinary name
    ordinary = any(files.iteration_of(name[start:]) is not None for start in range(len(name)))
    own = files.folder / name
    return str(own) if ordinary and not own.is_symlink() and not own.is_dir() else None


def _value(values: Any, key: str) -> Any:
    return values.get(key) if isinstance(values, Mapping) else None


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _is_score(name: Any, value: Any) -> bool:
    return isinstance(name, str) and isinstance(value, int | float) and not isinstance(value, bool) and value == value

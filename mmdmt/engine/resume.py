"""Decide which checkpoint a run starts from, and compare the run that wrote it with the one that starts."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from logging import Logger
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import EMAHook
from mmengine.runner import Runner

from mmdmt.engine.run_record import NAME, RunRecord, checkpoint_files, checkpoint_folder, checkpoint_hook
from mmdmt.method.phases import PHASE_WORDS, Curriculum
from mmdmt.models.mutual_training import DynamicMutualTraining
from mmdmt.models.starting_weights import check_run_weights, run_weights
from mmdmt.models.weights import check_sound, read_checkpoint
from mmdmt.registry import type_name

WHAT = 'the checkpoint to resume'
WAY_OUT = 'start from its weights with load_from, without --resume'
_PARTS = ('dmt', 'meta', 'state_dict', 'optimizer', 'message_hub')
_RUN = re.compile(r'[A-Za-z0-9][A-Za-z0-9_-]{0,63}')

NEVER, NEXT_PHASE, NOW = 'never', 'next phase', 'now'
COUNTS = (
    (r'phases\.past\b', NEVER),
    (r'phases\.present\.label_ratio$', NEVER),  # its labels are made, and its optimizers have started
    (r'phases\.(present|beginning)\.(lr|lr_factor)$', NEVER),
    (r'optim_wrapper\.(.*\.)?(type|constructor|paramwise_cfg)\b', NEVER),  # another could not go on with the state
    (r'param_scheduler(\.(.*\.)?type)?$', NEVER),
    (r'optim_wrapper\.(peers\.[^.]+\.)?(optimizer|loss_scale)\b', NEXT_PHASE),  # stands in the state, too
    (r'(param_scheduler|auto_scale_lr)\b', NEXT_PHASE),
    (r'', NOW),
)
"""When a setting counts that was changed before a run is resumed: the first pattern that its place matches decides."""
_COMPARED = (
    *('model', 'train_dataloader', 'val_dataloader', 'val_evaluator', 'train_cfg', 'optim_wrapper', 'param_scheduler'),
    *('auto_scale_lr', 'default_hooks', 'custom_hooks'),
)
_SHOWN = 8
_NOTHING = object()


def settle(runner: Runner, model: DynamicMutualTraining, curriculum: Curriculum) -> tuple[RunRecord, int]:
    """Decide which checkpoint a run starts from, and check that it fits; every process calls this.

    Returns:
        tuple[RunRecord, int]: The record of the run, and the iteration at which it goes on.

    Raises:
        RuntimeError: If there are checkpoints, but none that can be resumed from.
        FileNotFoundError: If the checkpoint does not exist.
        ValueError: If it or the record is damaged, or is of another kind of run, model or phases.
    """
    record = settle_checkpoint(runner)
    path = runner._load_from
    if path is None:
        return record, 0
    if not runner._resume:
        check_run_weights(path, model, complete=False)
        return record, 0
    averages = any(isinstance(hook, EMAHook) for hook in runner.hooks)
    iteration = check_resumed(str(path), model, curriculum, averages, runner.param_schedulers is not None)
    for sentence in changed_settings(record.settings, settings_of(runner.cfg, curriculum), curriculum, iteration):
        runner.logger.warning(sentence)
    return record, iteration


def settle_checkpoint(runner: Runner) -> RunRecord:
    """Decide which checkpoint a run starts from, and set ``_load_from`` and ``_resume``, where MMEngine reads it.

    ``--resume`` goes on from the latest checkpoint that is as the record of the work_dir notes it. It goes on from
    ``load_from`` only if that was given beside the config (``--cfg-options load_from=...``), or if there is nothing to
    resume in the work_dir and the config says both ``resume=True`` and ``load_from``; otherwise ``load_from`` is what
    the run once started from.
    """
    decision: list[Any] = [_decide(runner) if is_main_process() else None]
    broadcast_object_list(decision)
    runner._load_from, runner._resume, record = decision[0]
    return record


def _decide(runner: Runner) -> tuple[str | None, bool, RunRecord]:
    hook, given = checkpoint_hook(runner.hooks), runner._load_from
    fresh = RunRecord(Path(runner.work_dir), checkpoint_folder(hook, runner.work_dir))
    if not runner._resume:
        return given, False, fresh
    config = _written_config(runner.cfg.filename) if given is not None else {}
    if fresh.folder is None or (given is not None and config.get('load_from') != given):
        return given, True, _record_of(given, fresh)
    record = RunRecord.read(fresh.work_dir, fresh.folder) or fresh
    found = _latest(record, checkpoint_files(hook, fresh.folder), runner.logger)
    if found is not None:
        if given is not None:
            runner.logger.info(f'load_from={given} of the config is what the run started from: it is not resumed.')
        return str(found), True, record
    if given is not None and config.get('resume'):
        return given, True, _record_of(given, fresh)
    remedy = 'at its first iteration' + (f', from the weights of load_from={given}' if given is not None else '')
    runner.logger.warning(f'There is nothing to resume in work_dir={runner.work_dir}: the run starts {remedy}.')
    return given, False, fresh


def _latest(record: RunRecord, written: Sequence[Path], logger: Logger) -> Path | None:
    """Return the latest checkpoint that is as it was noted; None if the run has none that could be lost."""
    noted = record.to_resume()
    good = next((path for path in noted if record.knows(path)), None)
    if good is None:
        whole = {path: run for path in written if (run := _run_of(path))}
        if noted or set(whole.values()) - {record.run}:
            raise RuntimeError(
                f'No checkpoint in {record.folder} is as {record.work_dir / NAME} notes it: name the one to go on from '
                f'with --cfg-options load_from={next(reversed(whole), "CHECKPOINT")}, or start again without --resume.'
            )
    elif good != noted[0]:
        logger.warning(
            f'{noted[0]} is damaged, incomplete or gone: the run is resumed from {good}, the last good checkpoint.'
        )
    return good


def _run_of(path: Path) -> str:
    """Return the run that wrote a checkpoint; '' if it is not whole."""
    try:
        return str(read_checkpoint(path, WHAT, mmap=True)['dmt']['run'])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return ''


def _record_of(given: str | None, fresh: RunRecord) -> RunRecord:
    """Return the record of the run that wrote a checkpoint which the user names, if it is here or beside the file."""
    path = Path(given or '')
    for work_dir, folder in ((fresh.work_dir, fresh.folder), (path.parent, path.parent)):
        with suppress(ValueError):  # a damaged one tells nothing
            record = RunRecord.read(work_dir, folder)
            if record is not None and record.knows(path):
                return record if work_dir == fresh.work_dir else replace(fresh, settings=record.settings)
    return fresh


def _written_config(filename: str | None) -> Mapping[str, Any]:
    """Return the config as its file says, without what was given beside it; empty if there is no file."""
    config: Mapping[str, Any] = {}
    with suppress(Exception):  # it has changed since: then everything counts as given beside it
        config = Config.fromfile(filename) if filename and Path(filename).is_file() else config
    return config


def check_resumed(
    path: str, model: DynamicMutualTraining, curriculum: Curriculum, averages: bool, schedules: bool
) -> int:
    """Check that the checkpoint to resume fits the config, of which MMEngine skips what does not."""
    checkpoint, weights = run_weights(path, WHAT, model.peer_names)
    _check_parts(path, checkpoint, *_PARTS)
    wanted = model.state_dict()
    unfit = sorted(key for key, own in wanted.items() if _shape(weights.get(key)) != _shape(own))
    if unfit:
        raise ValueError(
            f'{path}, {WHAT}, lacks {len(unfit)} tensors of the model, first {unfit[0]!r}, or has them in another '
            f'shape or type: resume with the config that wrote it, or {WAY_OUT}.'
        )
    check_sound(weights, wanted, path, WHAT)
    if schedules:
        _check_parts(path, checkpoint, 'param_schedulers')
    if averages != ('ema_state_dict' in checkpoint):
        raise ValueError(
            f'{path}, {WHAT}, has {"no averages" if averages else "averages as its weights"}, but the config has '
            f'{"an" if averages else "no"} EMAHook: resume with the config that wrote it, or {WAY_OUT}.'
        )
    iteration, dmt = checkpoint['meta'].get('iter'), checkpoint['dmt']
    if not isinstance(iteration, int) or not _RUN.fullmatch(str(dmt.get('run'))):  # a folder is named by the run
        raise ValueError(f'{path}, {WHAT}, tells no iteration, or no sound name of a run: give another, or {WAY_OUT}.')
    phase = curriculum.at(iteration)
    if dmt.get('ends', [])[: phase + 1] != list(curriculum.ends[: phase + 1]):
        raise ValueError(
            f'{path}, {WHAT}, is of iteration {iteration} of a run whose phases end at {dmt.get("ends")}, these end at '
            f'{list(curriculum.ends)}: only phases still to come may change.'
        )
    return iteration


def _check_parts(path: str, checkpoint: Mapping[str, Any], *parts: str) -> None:
    lost = [part for part in parts if not isinstance(checkpoint.get(part), Mapping)]
    if lost:
        raise ValueError(
            f'{path}, {WHAT}, has no {lost[0]}: it was not written by a run with DMTHook, or at a best validation, or '
            f'by CheckpointHook(save_param_scheduler=False). Give another checkpoint, or {WAY_OUT}.'
        )


def _shape(tensor: Any) -> tuple[Any, Any]:
    return getattr(tensor, 'shape', None), getattr(tensor, 'dtype', None)


def confine(checkpoint: dict[str, Any], record: RunRecord) -> None:
    """Take out of a checkpoint what MMEngine would run, and lead its paths back into the run's own folder.

    MMEngine executes ``meta.config`` as Python, and removes what ``message_hub`` names as the best or old checkpoints.
    """
    checkpoint.get('meta', {}).pop('config', None)
    info = checkpoint.get('message_hub', {}).get('runtime_info', {})
    for key, value in info.items():
        if re.match('(best|last)_ckpt', key):
            info[key] = record.own_path(value)
        elif key == 'keep_ckpt_ids':
            info[key] = [number for number in value if isinstance(number, int)]


def settings_of(config: Config, curriculum: Curriculum) -> dict[str, Any]:
    """Return how a run is set to train and to validate, as plain values, its phases under ``phases`` by number."""
    parts = {part: config[part] for part in _COMPARED if config.get(part) is not None}
    settings: dict[str, Any] = _plain(parts)
    for hook in settings.get('custom_hooks', []):
        if type_name(hook) == 'DMTHook':
            for word in PHASE_WORDS:
                hook.pop(word, None)
    return {**settings, 'phases': _plain({n: asdict(phase) for n, phase in enumerate(curriculum.phases)})}


def _plain(value: Any) -> Any:
    """Return a value as JSON has it, the text of what JSON has no form for."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, str | int | float | None) and value == value:
        return value
    return getattr(value, '__qualname__', None) or re.sub(r' at 0x\w+', '', repr(value))


def changed_settings(
    then: Mapping[str, Any], now: Mapping[str, Any], curriculum: Curriculum, iteration: int
) -> list[str]:
    """Compare the settings of a run with those that it was last started with, and say which have changed.

    Raises:
        ValueError: If one has changed that must not.
    """
    if not then:
        return []
    phase = curriculum.at(iteration)
    begun = iteration > curriculum.start(phase)
    changed: dict[str, list[str]] = {NEVER: [], NEXT_PHASE: [], NOW: []}
    for place, given, own in _differences('', then, now):
        when = _when(place, phase, begun)
        changed[when].append(f'{place}={_shown(own)} (it had {_shown(given)})')
    if changed[NEVER]:
        raise ValueError(
            f'The config has {changed[NEVER][0]}, and the run to resume cannot go on with that: set it back, or '
            f'{WAY_OUT}; only phases still to come may change.'
        )
    last = phase == len(curriculum) - 1
    until = 'never' if last else f'from phase {phase + 1} on, which begins at iteration {curriculum.ends[phase]}'
    told = {
        'count at once': changed[NOW],
        f'count {until} (to train with them at once, {WAY_OUT})': changed[NEXT_PHASE],
    }
    return [
        f'Settings that differ from those of the run to resume {how}: {_listed(of)}.' for how, of in told.items() if of
    ]


def _when(place: str, phase: int, begun: bool) -> str:
    """Return when a setting counts, by its place and the phase in which the run goes on."""
    if number := re.match(r'phases\.(\d+)', place):
        n, present = int(number[1]), 'present' if begun else 'beginning'
        time = 'past' if n < phase else present if n == phase else 'coming'
        place = f'phases.{time}{place[number.end() :]}'
    return next(when for pattern, when in COUNTS if re.match(pattern, place))


def _differences(place: str, given: Any, own: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(given, Mapping) and isinstance(own, Mapping):
        for key in {**given, **own}:
            inner = f'{place}.{key}' if place else key
            yield from _differences(inner, given.get(key, _NOTHING), own.get(key, _NOTHING))
    elif isinstance(given, list) and isinstance(own, list) and len(given) == len(own):
        for number, pair in enumerate(zip(given, own, strict=True)):
            yield from _differences(f'{place}.{number}', *pair)
    elif given != own:
        yield place, given, own


def _shown(value: Any) -> str:
    return 'nothing' if value is _NOTHING else repr(value)[:60]


def _listed(changed: list[str]) -> str:
    more = f', and {len(changed) - _SHOWN} more' if len(changed) > _SHOWN else ''
    return f'{", ".join(changed[:_SHOWN])}{more}'

"""Compare optimizers and schedules of a checkpoint with those that the config gives the phase it is of."""

import inspect
import math
from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.hooks import ParamSchedulerHook
from mmengine.optim import OptimWrapper
from mmengine.optim.scheduler.param_scheduler import ReduceOnPlateauParamScheduler, _ParamScheduler
from mmengine.runner import Runner

from mmdmt.method.phases import Curriculum

_NO_SETTINGS = {'self', 'params', 'optimizer', 'last_step', 'verbose'}
_OF_SCALER = ('growth_factor', 'backoff_factor', 'growth_interval')


def check_schedules(path: str, checkpoint: Mapping[str, Any], runner: Runner, curriculum: Curriculum) -> None:
    """Check that the schedules of a checkpoint have counted the iterations of its phase, and agree with themselves.

    Args:
        path (str): Of the checkpoint, for the error message.
        checkpoint (Mapping): Its content; every value is of the kind that it must be.
        runner (Runner): About to resume, with the optimizers and schedules of the checkpoint's phase.
        curriculum (Curriculum): The phases of the run.

    Raises:
        ValueError: If a schedule would go on from elsewhere.
    """
    iteration = checkpoint['meta']['iter']
    phase = curriculum.at(iteration)
    if checkpoint['dmt']['ends'][: phase + 1] != list(curriculum.ends[: phase + 1]):
        return  # of other phases, which is told when the run takes them over
    steps = any(isinstance(hook, ParamSchedulerHook) for hook in runner.hooks)
    done = iteration - curriculum.start(phase) if steps else 0
    for peer, built in (runner.param_schedulers or {}).items():
        groups = checkpoint['optimizer'][peer]['param_groups']
        for state, own in zip(checkpoint['param_schedulers'][peer], built, strict=True):
            counts = not isinstance(own, ReduceOnPlateauParamScheduler)  # which steps when the run is validated
            fault = (counts and _fault(state, own, done, curriculum[phase].iters)) or _other_base(state, own, groups)
            if fault:
                raise ValueError(
                    f'{path}, the checkpoint to resume, has a {type(own).__name__} of peer {peer!r} with {fault} '
                    f'after {done} of the {curriculum[phase].iters} iterations of phase {phase}: the run would go on '
                    'with other learning rates. Resume from another checkpoint, or start from its weights with '
                    'load_from, without --resume.'
                )


def _fault(state: Mapping[str, Any], own: _ParamScheduler, done: int, iters: int) -> str:
    begin, end = state['begin'], state['end']
    if not 0 <= begin < end <= iters:
        return f'begin={begin} and end={end}'
    if state['_global_step'] != done:
        return f'_global_step={state["_global_step"]}'
    if state['last_step'] != max(0, min(done + 1, end) - begin) - 1:
        return f'last_step={state["last_step"]}'
    derived = getattr(own, 'total_iters', None) == own.end - own.begin - 1
    if derived and state['total_iters'] != end - begin - 1:
        return f'total_iters={state["total_iters"]} from iteration {begin} to {end}'
    return ''


def _other_base(state: Mapping[str, Any], own: _ParamScheduler, groups: list[Mapping[str, Any]]) -> str:
    key = f'initial_{own.param_name}'
    pairs = zip(state['base_values'], groups, strict=False)
    value = next((base for base, group in pairs if key in group and base != group[key]), None)
    return '' if value is None else f'base_values of {value}, which are not the {key} of its optimizer'


def changed_settings(checkpoint: Mapping[str, Any], runner: Runner, curriculum: Curriculum) -> list[str]:
    """Say which settings of optimizers and schedules the config has otherwise than the run that is resumed.

    The states of a checkpoint hold settings too, and MMEngine takes them with the states. They stay until the next
    phase starts optimizers and schedules as the config says.

    Args:
        checkpoint (Mapping): Its content, which was checked.
        runner (Runner): About to resume, with the optimizers and schedules that the config gives the phase.
        curriculum (Curriculum): The phases of the run.

    Returns:
        list[str]: A sentence for each setting and pair of values, and for each value that no schedule has set.
    """
    peers: dict[tuple[str, str, str], list[str]] = {}
    for name, wrapper in runner.optim_wrapper.items():
        for setting in _of_optimizer(checkpoint['optimizer'][name], wrapper):
            peers.setdefault(setting, []).append(name)
    for name, built in (runner.param_schedulers or {}).items():
        for setting in _of_schedules(checkpoint['param_schedulers'][name], built):
            peers.setdefault(setting, []).append(name)
    phase = curriculum.at(checkpoint['meta']['iter'])
    last = phase == len(curriculum) - 1
    until = 'to the end of the run' if last else f'until phase {phase + 1} begins at iteration {curriculum.ends[phase]}'
    changed = [
        f'The config has {key}={own} for {_named(of)}, but the checkpoint to resume was trained with {given}: '
        f'{key}={given} stays {until}. To train with {own} from now on, start from its weights with load_from, without '
        '--resume.'
        for (key, given, own), of in peers.items()
    ]
    return [*changed, *_not_as_scheduled(checkpoint, runner)]


def _not_as_scheduled(checkpoint: Mapping[str, Any], runner: Runner) -> Iterator[str]:
    """Find values that the last of their schedules has not set: a hook of the user's may have, or another hand."""
    for name, built in (runner.param_schedulers or {}).items():
        states = zip(checkpoint['param_schedulers'][name], built, strict=True)
        for key, last in {own.param_name: state['_last_value'] for state, own in states}.items():
            groups = checkpoint['optimizer'][name]['param_groups']
            pairs = ((group[key], value) for group, value in zip(groups, last, strict=False) if key in group)
            found = next((pair for pair in pairs if not _same(*pair)), None)
            if found is not None:
                yield (
                    f'The checkpoint to resume has {key}={_shown(found[0])} for peer {name!r}, which its schedules had '
                    f'set to {_shown(found[1])}: the run goes on from {_shown(found[0])}.'
                )


def _of_optimizer(state: Mapping[str, Any], wrapper: OptimWrapper) -> Iterator[tuple[str, str, str]]:
    optimizer = wrapper.optimizer
    settings, seen = _arguments(type(optimizer)), set()
    for given, own in zip(state['param_groups'], optimizer.param_groups, strict=True):
        for key in settings & own.keys() & given.keys():
            at_start = f'initial_{key}' if f'initial_{key}' in own and f'initial_{key}' in given else key
            if key not in seen and not _same(given[at_start], own[at_start]):
                seen.add(key)
                yield f'optim_wrapper.optimizer.{key}', _shown(given[at_start]), _shown(own[at_start])
    scaler = getattr(wrapper, 'loss_scaler', None)
    own_scaler, given_scaler = scaler.state_dict() if scaler is not None else {}, state.get('loss_scaler') or {}
    for key in _OF_SCALER:
        if key in own_scaler and key in given_scaler and not _same(given_scaler[key], own_scaler[key]):
            yield f'optim_wrapper.loss_scale.{key}', _shown(given_scaler[key]), _shown(own_scaler[key])


def _of_schedules(states: list[Mapping[str, Any]], built: list[_ParamScheduler]) -> Iterator[tuple[str, str, str]]:
    for state, own in zip(states, built, strict=True):
        values = own.state_dict()
        for key in sorted(_arguments(type(own)) & values.keys() & state.keys()):
            if not _same(state[key], values[key]):
                yield f'{type(own).__name__}.{key}', _shown(state[key]), _shown(values[key])


def _arguments(cls: type) -> set[str]:
    """Return what a class and those that it inherits from can be given, apart from what training changes."""
    return {name for one in cls.__mro__[:-1] for name in inspect.signature(one.__init__).parameters} - _NO_SETTINGS  # type: ignore[misc]


def _same(given: Any, own: Any) -> bool:
    if isinstance(own, list | tuple) and isinstance(given, list | tuple):
        return len(given) == len(own) and all(map(_same, given, own))
    if isinstance(own, bool) or own is None or isinstance(own, str) or given is None:
        return bool(given == own)
    try:
        return math.isclose(float(given), float(own), rel_tol=1e-9)
    except (TypeError, ValueError):
        return bool(given == own)


def _shown(value: Any) -> str:
    return f'{value:.6g}' if isinstance(value, float) else str(value)


def _named(peers: list[str]) -> str:
    return f'peer{"s" if len(peers) > 1 else ""} {", ".join(map(repr, peers))}'

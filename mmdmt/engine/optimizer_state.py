"""Whether the optimizers in a checkpoint can be those of a run, and hold numbers that it can go on from."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from mmengine.runner import Runner
from torch import Tensor

from mmdmt.engine.plain_values import short, stranger
from mmdmt.models.weights import fault_of

_LIKE_PARAMETER = {'momentum_buffer', 'exp_avg', 'exp_avg_sq', 'max_exp_avg_sq'}


def faults_of_optimizers(states: Any, runner: Runner) -> Iterator[str]:
    """Find what in the optimizers of a checkpoint cannot be that of a run.

    Args:
        states (Any): Its ``optimizer``.
        runner (Runner): About to resume; optimizers are built.

    Yields:
        str: A noun with the peer, the place and the value.
    """
    names = list(runner.optim_wrapper.keys())
    if not isinstance(states, Mapping) or set(states) != set(names):
        given = sorted(map(str, states)) if isinstance(states, Mapping) else type(states).__name__
        yield f'optimizers for {given}, while the peers are {names}'
        return
    for name in names:
        state, groups = states[name], runner.optim_wrapper[name].optimizer.param_groups
        fault = _fault_of_optimizer(state, groups)
        if fault:
            yield f'an optimizer of peer {name!r} {fault}'
        scaler = getattr(runner.optim_wrapper[name], 'loss_scaler', None)
        given, own = state.get('loss_scaler'), scaler.state_dict() if scaler is not None else {}
        if given and own and (found := stranger(given, own) or _too_small(given)):
            yield f'a gradient scaler of peer {name!r} with {found}'


def _fault_of_optimizer(state: Any, built: list[dict[str, Any]]) -> str:
    parameters = [parameter for group in built for parameter in group['params']]
    if not isinstance(state, Mapping) or not {'state', 'param_groups'} <= set(state):
        return 'without state and param_groups'
    groups, slots = state['param_groups'], state['state']
    if not isinstance(groups, list) or not all(isinstance(group, Mapping) and 'params' in group for group in groups):
        return 'without param_groups'
    if [number for group in groups for number in group['params']] != list(range(len(parameters))):
        return f'for other parameters than the {len(parameters)} of the peer'
    sizes = [[len(group['params']) for group in one] for one in (groups, built)]
    if sizes[0] != sizes[1]:
        return f'with other param_groups ({len(groups)}) than the config makes ({len(built)}, see paramwise_cfg)'
    for group, own in zip(groups, built, strict=True):
        settings = {key: value for key, value in own.items() if key != 'params'}
        found = stranger(group, settings)
        negative = next((f'{key}={value}' for key, value in group.items() if _is_negative(value)), '')
        if found or negative:
            return f'with {found or negative} in its param_groups'
    if not isinstance(slots, Mapping) or not set(slots) <= set(range(len(parameters))):
        return 'with states of parameters that there are not'
    for number, slot in slots.items():
        if not isinstance(slot, Mapping):
            return f'whose state of parameter {number} is {short(slot)}'
        for key, value in slot.items():
            like = key in _LIKE_PARAMETER and isinstance(value, Tensor)
            if like and value.shape != parameters[number].shape:
                return (
                    f'whose {key} has shape {tuple(value.shape)} for a parameter of {tuple(parameters[number].shape)}'
                )
            if like and not value.is_floating_point():
                return f'whose {key} is of {value.dtype}'
            if value is not None and not isinstance(value, Tensor | int | float):
                return f'whose {key} of parameter {number} is {short(value)}'
            parameter = parameters[number] if like else None
            fault = '' if value is None else _fault_of_slot(torch.as_tensor(value), parameter)
            if fault:
                return f'whose {key} of parameter {number} has {fault}'
    return ''


def _too_small(scaler: Mapping[str, Any]) -> str:
    return next((f'{key}={scaler[key]}' for key in ('scale', 'growth_interval') if scaler.get(key, 1) <= 0), '')


def _fault_of_slot(value: Tensor, parameter: Tensor | None) -> str:
    return fault_of(value, torch.zeros((), dtype=value.dtype) if parameter is None else parameter)


def _is_negative(value: Any) -> bool:
    return isinstance(value, int | float) and value < 0

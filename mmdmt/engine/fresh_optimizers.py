"""Start optimizers, gradient scalers and schedules afresh in every phase."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner

from mmdmt.method.phases import Phase
from mmdmt.registry import type_name


class FreshOptimizers:
    """Remember how the optimizers of a run were built, to bring them back to it.

    Args:
        optimizers (OptimWrapperDict): They have not stepped yet.
        schedules (dict | list[dict], optional): ``param_scheduler`` of the config; None if the run has none.
        phases (Sequence[Phase]): Of the run, to each of which its schedules must fit.
    """

    def __init__(self, optimizers: OptimWrapperDict, schedules: Any, phases: Sequence[Phase]) -> None:
        self._as_built = {name: _as_built(optimizer) for name, optimizer in optimizers.items()}
        self._schedules = schedules
        for phase in phases if schedules is not None else ():
            fit_schedulers(schedules, phase.iters)

    def restart(self, runner: Runner, phase: Phase) -> None:
        """Bring optimizers and gradient scalers back to how they were built, and start the schedules of a phase."""
        for name, as_built in self._as_built.items():
            optimizer: OptimWrapper = runner.optim_wrapper[name]
            state = copy.deepcopy(as_built)
            factor = phase.lr_factor if phase.lr is None else phase.lr / optimizer.optimizer.defaults['lr']
            for group in state['param_groups']:
                group['lr'] *= factor
            optimizer.load_state_dict(state)
            optimizer.zero_grad()
        if self._schedules is not None:
            runner.param_schedulers = runner.build_param_scheduler(fit_schedulers(self._schedules, phase.iters))


def _as_built(optimizer: OptimWrapper) -> dict[str, Any]:
    """Return the state of an optimizer that has not stepped, without what schedulers have done to it."""
    state = copy.deepcopy(optimizer.state_dict())
    for group in state['param_groups']:
        for key in [key for key in group if key.startswith('initial_')]:
            group[key.removeprefix('initial_')] = group.pop(key)
    return state


def fit_schedulers(config: Any, iters: int) -> Any:
    """Fit the config of parameter schedulers to a phase, from whose start they count.

    One that would last longer than the phase ends with it: poly decay over 40 000 iterations reaches its end in every
    phase, and a ramp keeps its length.

    Args:
        config (dict | list[dict] | dict[str, list[dict]]): ``param_scheduler``: one, several, or several for each peer.
        iters (int): Iterations of the phase.

    Returns:
        list[dict] | dict[str, list[dict]]: The same with ``end`` (and ``T_max``) of each no later than ``iters``.

    Raises:
        ValueError: If a scheduler counts epochs, or begins only after the phase has ended.
    """
    if isinstance(config, Mapping) and 'type' not in config:
        return {peer: fit_schedulers(schedulers, iters) for peer, schedulers in config.items()}
    schedulers: Sequence[Mapping[str, Any]] = [config] if isinstance(config, Mapping) else config
    return [_fit(scheduler, iters) for scheduler in schedulers]


def _fit(scheduler: Mapping[str, Any], iters: int) -> dict[str, Any]:
    if scheduler.get('by_epoch', True):
        raise ValueError(
            f'param_scheduler {type_name(scheduler)} counts epochs, but phases are counted in iterations: set '
            'by_epoch=False, with begin and end in iterations.'
        )
    begin = scheduler.get('begin', 0)
    if begin >= iters:
        raise ValueError(
            f'param_scheduler {type_name(scheduler)} begins at iteration {begin}, but a phase has only {iters} '
            'iterations: let it begin earlier, or make the phase longer.'
        )
    fitted = {**scheduler, 'end': min(scheduler.get('end', iters), iters)}
    if 'T_max' in fitted:
        fitted['T_max'] = min(fitted['T_max'], fitted['end'] - begin)
    return fitted

"""Build learning-rate schedules that start afresh in every phase."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmdmt.registry import type_name


def fit_schedulers(config: Any, iters: int) -> Any:
    """Fit the config of parameter schedulers to a phase.

    A scheduler counts from the phase's start, and one that would last longer than the phase ends with it. So poly
    decay over a schedule's 40 000 iterations reaches its end in every phase, and a ramp keeps its length.

    Args:
        config (dict | list[dict] | dict[str, list[dict]]): ``param_scheduler`` of an ordinary config: one scheduler,
            several, or several for each peer.
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

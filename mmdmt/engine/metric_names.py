"""Fit the metrics that hooks and schedulers ask for to the names that a validation of peers gives."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

from mmengine.hooks import CheckpointHook, EarlyStoppingHook
from mmengine.runner import Runner

from mmdmt.engine.peers_of_run import model_of
from mmdmt.evaluation.peer_metric import PeerMetric
from mmdmt.models.names import ENSEMBLE
from mmdmt.registry import type_name


def known_names(runner: Runner) -> tuple[str, ...] | None:
    """Name what the validation will give, where its metrics say so; None if that is not known."""
    metrics = [] if runner.val_loop is None else runner.val_loop.evaluator.metrics
    results = [getattr(metric, 'result_names', None) for metric in metrics]
    if not metrics or None in results or not all(isinstance(metric, PeerMetric) for metric in metrics):
        return None
    peers = [*model_of(runner).peer_names, ENSEMBLE]
    return tuple(f'{peer}/{name}' for names in results for peer in peers for name in names or ())


def fit_metric_names(runner: Runner, names: Sequence[str], carry_metric: str | None) -> None:
    """Turn the plain name of a metric into that of the ensemble, wherever one is asked for after a validation.

    Changes ``save_best`` of checkpoint hooks, and ``monitor`` of early stopping and of schedulers.

    Args:
        runner (Runner): About to train.
        names (Sequence[str]): Of the results of its validation.
        carry_metric (str, optional): By which the best weights of each peer are chosen; None if they are not.

    Raises:
        ValueError: If a name must be another.
    """
    if carry_metric is not None:
        for peer in model_of(runner).peer_names:
            _fitting(f'{peer}/{carry_metric}', names, f'carry_metric={carry_metric!r} of DMTHook')
    for hook in runner.hooks:
        if isinstance(hook, CheckpointHook) and hook.save_best is not None:
            _fit_save_best(runner, hook, names)
        if isinstance(hook, EarlyStoppingHook):
            hook.monitor = _fitting(hook.monitor, names, f'monitor={hook.monitor!r} of {type(hook).__name__}')
    if runner.cfg.get('param_scheduler') is not None:
        _fit_schedulers(runner.cfg.param_scheduler, names)
    built = runner.param_schedulers or []
    for scheduler in chain(*built.values()) if isinstance(built, dict) else built:
        if getattr(scheduler, 'need_val_args', False):
            scheduler.monitor = _fitting(scheduler.monitor, names, 'monitor of param_scheduler')


def _fit_save_best(runner: Runner, hook: Any, names: Sequence[str]) -> None:
    where = f'save_best={hook.save_best!r} of {type(hook).__name__}'
    fitting = {key: key if key == 'auto' else _fitting(key, names, where) for key in hook.key_indicators}
    changed = {key: name for key, name in fitting.items() if key != name}
    if changed:
        runner.logger.info(f'{where} means {", ".join(changed.values())}; name a peer for its own.')
    hook.key_indicators = list(fitting.values())
    hook.is_better_than = {fitting.get(key, key): rule for key, rule in hook.is_better_than.items()}


def _fit_schedulers(config: Any, names: Sequence[str]) -> None:
    if isinstance(config, dict) and 'type' not in config:
        for schedulers in config.values():
            _fit_schedulers(schedulers, names)
        return
    for scheduler in [config] if isinstance(config, dict) else config:
        if 'monitor' in scheduler or 'ReduceOnPlateau' in type_name(scheduler):
            monitor = scheduler.get('monitor', 'loss')
            scheduler['monitor'] = _fitting(monitor, names, f'monitor={monitor!r} of param_scheduler')


def _fitting(key: str, names: Sequence[str], where: str) -> str:
    if key in names:
        return key
    if f'{ENSEMBLE}/{key}' in names:
        return f'{ENSEMBLE}/{key}'
    raise ValueError(f'{where} must be one of what val_evaluator gives: choose one of {", ".join(names) or "nothing"}.')

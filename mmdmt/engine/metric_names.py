"""Fit the metrics that hooks and schedulers ask for to the names that a validation of peers gives."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

from mmengine.hooks import CheckpointHook, EarlyStoppingHook
from mmengine.logging import print_log
from mmengine.runner import BaseLoop, Runner

from mmdmt.evaluation.peer_metric import PeerMetric
from mmdmt.models.mutual_training import DynamicMutualTraining
from mmdmt.models.names import ENSEMBLE
from mmdmt.registry import type_name


def known_names(loop: BaseLoop | None, model: DynamicMutualTraining) -> tuple[str, ...] | None:
    """Name what a validation will give, where its metrics say so; None if that is not known."""
    metrics = () if loop is None else loop.evaluator.metrics
    if not all(isinstance(metric, PeerMetric) and metric.result_names is not None for metric in metrics):
        return None
    peers = [*model.peer_names, ENSEMBLE]
    return tuple(f'{peer}/{name}' for one in metrics for peer in peers for name in one.result_names)


def fit_metric_names(runner: Runner, names: Sequence[str], carried: Sequence[str]) -> None:
    """Turn the plain name of a metric into that of the ensemble, wherever one is asked for after a validation.

    Changes ``save_best`` of checkpoint hooks, and ``monitor`` of early stopping and of schedulers.

    Args:
        runner (Runner): About to train.
        names (Sequence[str]): Of the results of its validation.
        carried (Sequence[str]): Those by which the best weights of each peer are chosen; none if they are not.

    Raises:
        ValueError: If a name must be another.
    """
    for name in carried:
        _fitting(name, names, f'carry_metric of DMTHook, {name!r},')
    for hook in runner.hooks:
        if isinstance(hook, CheckpointHook) and hook.save_best is not None:
            _fit_save_best(hook, names)
        if isinstance(hook, EarlyStoppingHook):
            hook.monitor = _fitting(hook.monitor, names, f'monitor={hook.monitor!r} of {type(hook).__name__}')
    if runner.cfg.get('param_scheduler') is not None:
        _fit_schedulers(runner.cfg.param_scheduler, names)
    built = runner.param_schedulers or []
    for scheduler in chain(*built.values()) if isinstance(built, dict) else built:
        if getattr(scheduler, 'need_val_args', False):
            scheduler.monitor = _fitting(scheduler.monitor, names, 'monitor of param_scheduler')


def _fit_save_best(hook: Any, names: Sequence[str]) -> None:
    where = f'save_best={hook.save_best!r} of {type(hook).__name__}'
    fitting = {key: key if key == 'auto' else _fitting(key, names, where) for key in hook.key_indicators}
    changed = {key: name for key, name in fitting.items() if key != name}
    if changed:
        print_log(f'{where} means {", ".join(changed.values())}; name a peer for its own.', logger='current')
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

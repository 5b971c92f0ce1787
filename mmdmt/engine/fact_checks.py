"""Check that what stands in several places of a run is the same there: the ignored label, the meaning of zero."""

from typing import Any

from mmengine.evaluator import Evaluator
from mmengine.runner import BaseLoop, Runner

from mmdmt.engine.peers_of_run import labels_of, model_of
from mmdmt.rules.facts import IGNORED, IGNORED_REMEDY, REDUCED, REDUCED_REMEDY, difference
from mmdmt.rules.joined_datasets import plain_datasets


def check_facts(runner: Runner, loops: dict[str, BaseLoop]) -> None:
    """Compare heads, padding, datasets, transforms and metrics.

    Args:
        runner (Runner): About to train, validate or test; its peers know which label they ignore.
        loops (dict[str, BaseLoop]): Those that evaluate, by the name of their dataloader, such as
            ``'val_dataloader'``.

    Raises:
        ValueError: If a fact differs, naming the places and their values.
    """
    model = model_of(runner)
    labels = labels_of(runner)
    ignored: dict[str, Any] = {}
    for name, peer in model.bare_peers.items():
        ignored |= model.kind.ignored(name, peer)
    if not ignored:
        return
    reduced: dict[str, bool] = {}
    for name, part in _datasets(runner, loops):
        ignored |= labels.ignored(name, part)
        reduced[name] = bool(getattr(part, 'reduce_zero_label', False))
    unlabeled = getattr(_trained_on(runner), 'unlabeled', None)
    if unlabeled is not None:
        ignored |= labels.ignored_by('the unlabeled dataset', unlabeled.pipeline.transforms)
    for loader, loop in loops.items():
        ignored |= _of_metrics(loader.replace('dataloader', 'evaluator'), loop.evaluator)
    for sentence in (difference(IGNORED, ignored, IGNORED_REMEDY), difference(REDUCED, reduced, REDUCED_REMEDY)):
        if sentence:
            raise ValueError(sentence)


def _datasets(runner: Runner, loops: dict[str, BaseLoop]) -> list[tuple[str, Any]]:
    """Return the plain datasets that have masks, by name."""
    trained_on = _trained_on(runner)
    named = [] if trained_on is None else _numbered('the labeled dataset', trained_on.labeled)
    if trained_on is not None and _has_masks(trained_on.unlabeled):
        named.append(('the unlabeled dataset', trained_on.unlabeled))
    for loader, loop in loops.items():
        named += [
            (name, part) for name, part in _numbered(f'{loader}.dataset', loop.dataloader.dataset) if _has_masks(part)
        ]
    return named


def _numbered(name: str, dataset: Any) -> list[tuple[str, Any]]:
    parts = list(plain_datasets(dataset))
    return [(f'{name} (part {number})' if len(parts) > 1 else name, part) for number, part in enumerate(parts)]


def _trained_on(runner: Runner) -> Any:
    loop = runner._train_loop
    return loop.dataloader.dataset if isinstance(loop, BaseLoop) else None


def _has_masks(dataset: Any) -> bool:
    return bool((getattr(dataset, 'data_prefix', None) or {}).get('seg_map_path'))


def _of_metrics(name: str, evaluator: Evaluator) -> dict[str, Any]:
    found = {}
    for metric in evaluator.metrics:
        ignored = getattr(metric, 'ignore_index', None)
        if isinstance(ignored, int):
            found[f'{type(metric).__name__} of {name}'] = ignored
    return found

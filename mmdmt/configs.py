"""Compute in a config file what follows from a few numbers: phases, the length of the run, the lists of images.

A config names what differs and calls these functions for the rest. MMEngine reads a file with an import statement as a
config of its other kind, so it is written as a call, which leaves nothing in the config::

    mmdmt = __import__('mmdmt.configs')
    train_dataloader = mmdmt.configs.lists(_base_.lists, '1of4')
    custom_hooks, train_cfg = mmdmt.configs.schedule(_base_, warm_up=8000, iters=3000, val_interval=500)

What they return is plain: the config that is dumped, and the one that ``--cfg-options`` changes, holds every phase.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from mmdmt.method.phases import LABEL_RATIOS, Curriculum


def schedule(
    base: Mapping[str, Any],
    *,
    warm_up: int | None = None,
    iters: int | Sequence[int] | None = None,
    ratios: Sequence[float] | None = None,
    val_interval: int | None = None,
    labeled_lists: Mapping[str, str] | None = None,
    online: Mapping[str, Any] | None = None,
    hook: Mapping[str, Any] | None = None,
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Set the lengths of the phases, and what follows from them: ``max_iters`` and where intervals change.

    What is not given stays as it is in the base.

    Args:
        base (Mapping): ``_base_`` of the config file. The ``DMTHook`` in its ``custom_hooks`` has two phases or more:
            the first is the warm-up, the second says what all others have in common (``labeled``, ``pseudo``, ...).
        warm_up (int, optional): Iterations of the warm-up; 0 for none. Defaults to None.
        iters (int | Sequence[int], optional): Iterations of every phase after it, or of each. Defaults to None.
        ratios (Sequence[float], optional): Label ratio of each phase after it, in (0, 1]; ``()`` for the warm-up alone.
            Defaults to None: those of the base, or if it has none the paper's, 0.2 to 1.
        val_interval (int, optional): Iterations from one validation to the next. Defaults to None. A second interval in
            the base's ``dynamic_intervals`` begins with the end of the warm-up.
        labeled_lists (Mapping[str, str], optional): List of images of each peer in the warm-up; ``{}`` for the whole
            labeled set for all peers. Defaults to None.
        online (Mapping, optional): How labels are made in the iteration that learns them, in one phase of ``iters``
            iterations in place of those with label ratios. Defaults to None.
        hook (Mapping, optional): A ``DMTHook`` in place of the base's. Defaults to None.

    Returns:
        tuple[list[dict], dict]: ``custom_hooks`` and ``train_cfg``.

    Raises:
        ValueError: If the base has no such hook, or the numbers make no phases.

    Examples:
        >>> hook = dict(type='mmdmt.DMTHook', phases=[dict(labeled=8), dict(labeled=2, pseudo=6)])
        >>> hooks, train_cfg = schedule({}, hook=hook, warm_up=1000, iters=300, ratios=(0.5, 1.0), val_interval=100)
        >>> hooks[0]['phases'][1]
        {'labeled': 2, 'pseudo': 6, 'iters': 300, 'label_ratio': 0.5}
        >>> train_cfg
        {'type': 'IterBasedTrainLoop', 'max_iters': 1600, 'val_interval': 100}
    """
    hooks = _plain(base.get('custom_hooks', []))
    found = [known for known in hooks if known.get('type') == 'mmdmt.DMTHook']
    if hook is not None:
        given = _plain(hook)
        hooks = [given if known in found else known for known in hooks] if found else [*hooks, given]
        found = [given]
    if len(found) != 1 or len(found[0].get('phases', [])) < 2:
        raise ValueError(
            f'custom_hooks={hooks!r} hold no mmdmt.DMTHook with a warm-up and a phase after it: inherit from a config '
            'of _base_/schedules, or give hook=dict(type=..., phases=[dict(labeled=8), dict(labeled=2, pseudo=6)]).'
        )
    first, *rest = found[0]['phases']
    if warm_up is not None:
        first['iters'] = warm_up
    if labeled_lists is not None:
        first.pop('labeled_lists', None)
        first.update({'labeled_lists': dict(labeled_lists)} if labeled_lists else {})
    if online is not None:
        if not isinstance(iters, int):
            raise ValueError(f'iters={iters} with online={dict(online)}: give the length of its one phase.')
        phases = [first, {**rest[0], 'iters': iters, 'online': dict(online)}]
        phases[1].pop('label_ratio', None)
        return hooks, _train_cfg(base, found[0], phases, val_interval)
    if ratios is None:
        ratios = [phase['label_ratio'] for phase in rest if 'label_ratio' in phase] or LABEL_RATIOS
    lengths = _lengths(iters, len(ratios), rest)
    phases = [first, *({**rest[0], 'iters': n, 'label_ratio': r} for n, r in zip(lengths, ratios, strict=True))]
    return hooks, _train_cfg(base, found[0], phases, val_interval)


def _train_cfg(
    base: Mapping[str, Any], hook: dict[str, Any], phases: list[dict[str, Any]], val_interval: int | None
) -> dict[str, Any]:
    """Put the phases into the hook, without a warm-up of no length, and compute the length of the run."""
    phases = [phase for phase in phases if phase.get('iters') != 0]
    hook['phases'] = phases
    train_cfg = {'type': 'IterBasedTrainLoop', **_plain(base.get('train_cfg', {}))}
    train_cfg['max_iters'] = Curriculum.from_configs(phases).total_iters
    if val_interval is not None:
        train_cfg['val_interval'] = val_interval
    if train_cfg.get('dynamic_intervals'):
        train_cfg['dynamic_intervals'] = [(phases[0]['iters'], train_cfg['dynamic_intervals'][-1][1])]
    return train_cfg


def _lengths(iters: int | Sequence[int] | None, number: int, rest: Sequence[Mapping[str, Any]]) -> Sequence[int]:
    """Give each phase after the warm-up its iterations, those of the base if none are given."""
    if iters is None:
        of_base = [phase['iters'] for phase in rest if 'iters' in phase]
        iters = of_base[0] if len(of_base) != number and len(set(of_base)) == 1 else of_base
    lengths = [iters] * number if isinstance(iters, int) else list(iters)
    if number and len(lengths) != number:
        raise ValueError(
            f'iters={lengths} are the lengths of {len(lengths)} phases, but {number} phases have a label ratio: give '
            'one number for all of them, or one for each.'
        )
    return lengths[:number]


def lists(folder: str, fraction: str | None = None) -> dict[str, Any]:
    """Name the lists of labeled and of unlabeled images.

    Args:
        folder (str): The folder that holds them, as an absolute path: MMEngine looks for others in ``data_root``.
        fraction (str, optional): Ending of their names, such as ``'1of8'``. Defaults to None, none.

    Returns:
        dict: ``train_dataloader``, with ``ann_file`` of both parts of its dataset.

    Examples:
        >>> lists('/data/splits', '1of8')['dataset']['unlabeled']
        {'ann_file': '/data/splits/unlabeled_1of8.txt'}
    """
    ending = '' if fraction is None else f'_{fraction}'
    parts = {part: {'ann_file': f'{folder}/{part}{ending}.txt'} for part in ('labeled', 'unlabeled')}
    return {'dataset': parts}


def crops(base: Mapping[str, Any], size: int | tuple[int, int]) -> dict[str, Any]:
    """Give the crops another size: those of labeled images, and of unlabeled ones that have no pipeline of their own.

    Args:
        base (Mapping): ``_base_`` of the config file, whose labeled images have a ``RandomCrop`` in their pipeline.
        size (int | tuple[int, int]): Height and width in pixels; one number for both.

    Returns:
        dict: ``train_dataloader``, with the pipeline of the labeled part of its dataset.

    Raises:
        ValueError: If the pipeline cuts no crops.

    Examples:
        >>> labeled = dict(pipeline=[dict(type='RandomCrop', crop_size=(321, 321))])
        >>> crops(dict(train_dataloader=dict(dataset=dict(labeled=labeled))), 518)['dataset']['labeled']['pipeline']
        [{'type': 'RandomCrop', 'crop_size': (518, 518)}]
    """
    pipeline = _plain(base['train_dataloader']['dataset']['labeled']['pipeline'])
    cut = [step for step in pipeline if step['type'] == 'RandomCrop']
    if not cut:
        kinds = [step['type'] for step in pipeline]
        raise ValueError(f'the pipeline {kinds} of the labeled images cuts no crops: put a RandomCrop into it.')
    for step in cut:
        step['crop_size'] = (size, size) if isinstance(size, int) else tuple(size)
    return {'dataset': {'labeled': {'pipeline': pipeline}}}


def _plain(value: Any) -> Any:
    """Copy a part of a config without MMEngine's own kinds of dict, which remember the package they are from."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(inner) for inner in value)
    return value

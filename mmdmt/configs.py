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


def recipe(
    base: Mapping[str, Any],
    *,
    warm_up: int = 0,
    iters: int | None = None,
    hook: Mapping[str, Any] | None = None,
    mixes: Sequence[Mapping[str, Any]] | None = None,
    without: Sequence[str] = (),
    gamma: float = 1.0,
    min_confidence: float | None = None,
    momentum: float | None = None,
) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    """Replace the phases of the base by the recipe: averages label weak views, and strong views are learned, mixed.

    Args:
        base (Mapping): ``_base_`` of the config file, with ``strong_views``, ``average`` and, unless ``mixes`` are
            given, ``cutmix`` of the files of ``_base_/recipes``, and a ``DMTHook``; also ``online``, if it has it.
        warm_up (int): Iterations of the warm-up. Defaults to 0, none.
        iters (int, optional): Iterations after it. Defaults to None: the run is as long as that of the base.
        hook (Mapping, optional): A ``DMTHook`` in place of the base's. Defaults to None.
        mixes (Sequence[Mapping], optional): Mixes of the strong views. Defaults to None, CutMix.
        without (Sequence[str]): Types of steps that the pipeline of labeled images, and so that of unlabeled ones,
            loses: photometry that a labeler would see. Defaults to ``()``.
        gamma (float): Both exponents of the loss, in place of those of the base, which are for learners that see what
            their labeler sees. A learner of strong views is less sure, and exponents above 1 weigh most of its labels
            away; 0 counts every label alike. Defaults to 1.
        min_confidence (float, optional): Labels below it are not learned. Defaults to None, that of ``online``, if any.
        momentum (float, optional): Of the averages. Defaults to None, that of ``average``.

    Returns:
        tuple[dict, dict, list[dict], dict]: ``model``, ``train_dataloader``, ``custom_hooks`` and ``train_cfg``.

    Raises:
        ValueError: If the base has no such hook.

    Examples:
        >>> base = dict(
        ...     strong_views=[dict(type='RandomGrayscale')],
        ...     cutmix=[dict(type='mmdmt.CutMix')],
        ...     average=dict(type='EMAHook', momentum=0.004),
        ...     online=dict(labeler='average', min_confidence=0.0),
        ... )
        >>> hook = dict(type='mmdmt.DMTHook', phases=[dict(labeled=8), dict(labeled=4, pseudo=4)])
        >>> model, train_dataloader, custom_hooks, train_cfg = recipe(base, hook=hook, warm_up=100, iters=900)
        >>> custom_hooks[0]['phases'][1]['online'], custom_hooks[1]['type'], train_cfg['max_iters']
        ({'labeler': 'average', 'min_confidence': 0.0}, 'EMAHook', 1000)
        >>> model
        {'mixes': [{'type': 'mmdmt.CutMix'}], 'loss': {'gamma_agree': 1.0, 'gamma_disagree': 1.0}}
    """
    online, average = _plain(base.get('online', {'labeler': 'average'})), _plain(base['average'])
    online.update({} if min_confidence is None else {'min_confidence': min_confidence})
    average.update({} if momentum is None else {'momentum': momentum})
    if iters is None:
        iters = base['train_cfg']['max_iters'] - warm_up
    hooks, train_cfg = schedule(base, hook=hook, warm_up=warm_up, iters=iters, online=online)
    dataset: dict[str, Any] = {'learner_view': _plain(base['strong_views'])}
    if without:
        steps = _plain(base['train_dataloader']['dataset']['labeled']['pipeline'])
        dataset['labeled'] = {'pipeline': [step for step in steps if step['type'] not in without]}
    loss = {'gamma_agree': gamma, 'gamma_disagree': gamma}
    model = {'mixes': _plain(base['cutmix'] if mixes is None else mixes), 'loss': loss}
    return model, {'dataset': dataset}, [*hooks, average], train_cfg


def peers(
    base: Mapping[str, Any],
    size: int,
    *,
    num_classes: int | None = None,
    padded: int | None = None,
    stride: int | None = None,
    align_corners: Sequence[str] = (),
) -> dict[str, Any]:
    """Fit all peers to crops of a size and to the classes of a data set.

    Args:
        base (Mapping): ``_base_`` of the config file, with the peers.
        size (int): Height and width of the crops, in pixels.
        num_classes (int, optional): Of all heads. Defaults to None, as it is.
        padded (int, optional): Height and width in pixels that smaller validation images are padded to. Defaults to
            None, not at all.
        stride (int, optional): Validate in windows of the size of a crop, one from the next at this many pixels.
            Defaults to None: as the base has it.
        align_corners (Sequence[str]): Peers whose heads align corners. Defaults to ``()``.

    Returns:
        dict: ``model``, with what changes of every peer.

    Raises:
        ValueError: If a name of ``align_corners`` is none of the peers'.

    Examples:
        >>> base = dict(model=dict(peers=dict(a=dict(decode_head=dict(num_classes=19)))))
        >>> peers(base, 321, num_classes=21)
        {'peers': {'a': {'data_preprocessor': {'size': (321, 321)}, 'decode_head': {'num_classes': 21}}}}
    """
    known = base['model']['peers']
    strange = [name for name in align_corners if name not in known]
    if strange:
        raise ValueError(f'align_corners={list(align_corners)} names {strange[0]!r}, but the peers are {list(known)}.')
    changed = {}
    for name, peer in known.items():
        preprocessor: dict[str, Any] = {'size': (size, size)}
        if padded is not None:
            preprocessor['test_cfg'] = {'size': (padded, padded)}
        head: dict[str, Any] = {} if num_classes is None else {'num_classes': num_classes}
        head.update({'align_corners': True} if name in align_corners else {})
        changed[name] = {'data_preprocessor': preprocessor}
        heads = [part for part in ('decode_head', 'auxiliary_head') if peer.get(part) and head]
        changed[name].update({part: dict(head) for part in heads})
        if stride is not None:
            changed[name]['test_cfg'] = {'mode': 'slide', 'crop_size': (size, size), 'stride': (stride, stride)}
    return {'peers': changed}


def _plain(value: Any) -> Any:
    """Copy a part of a config without MMEngine's own kinds of dict, which remember the package they are from."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(inner) for inner in value)
    return value

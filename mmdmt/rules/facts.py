"""The facts of a run, each in every place that has it, and the rules that they must keep at a start and in a check."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from mmdmt.settings import Number

LONG = 12


class Facts(defaultdict[str, dict[str, Any]]):
    """The value of each fact, by the places that have it: ``facts['num_classes']["peer 'left'"] = 3``."""

    def __init__(self) -> None:
        super().__init__(dict)


class Same:
    """The value must be the same in all places; the others are compared with the first."""


class Of(NamedTuple):
    """The value, one or several, must be among those that another fact has."""

    fact: str


class Names:
    """The value must be names of classes."""

    def __contains__(self, value: Any) -> bool:
        listed = isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value)
        return listed and len(set(value)) == len(value)


class Rule(NamedTuple):
    """A row of the table; nothing is asked of a fact that was not read.

    ``must`` is :class:`Same`, :class:`Of`, or values, a range or a choice that each value must be in.
    """

    fact: str
    must: Any
    remedy: str


ONE_CLASS_REMEDY = (
    'a softmax over one class is always 1, so nothing would be learned; name the background as a class, too '
    '(num_classes=2, and 0 and 1 in masks)'
)
TABLE = (
    Rule('number of processes', Same, 'add --launcher pytorch, as tools/dist_train.sh does'),
    Rule('number of DMTHooks', (1,), 'join their phases'),
    Rule(
        'setting compile',
        (False, None),
        'take it out, because torch.compile cannot take the training step of all peers as one graph; '
        'docs/en/performance.md says how to compile the backbone of each peer',
    ),
    Rule('prefetch_factor', (None,), 'take it out, or load images in processes (num_workers=1 or more)'),
    Rule('persistent_workers', (False, None), 'take it out, or load images in processes (num_workers=1 or more)'),
    Rule(
        'train loop',
        ('IterBasedTrainLoop',),
        "phases are counted in iterations, so set train_cfg=dict(type='IterBasedTrainLoop', max_iters=...) to the sum "
        'of the phases',
    ),
    Rule('model', ('DynamicMutualTraining',), "give model=dict(type='mmdmt.DynamicMutualTraining', peers=...)"),
    Rule(
        'wrapper of the model',
        ('MMSeparateDistributedDataParallel',),
        "peers have an optimizer each, so set model_wrapper_cfg=dict(type='MMSeparateDistributedDataParallel')",
    ),
    Rule(
        'optimizer',
        ('OptimWrapperDict',),
        "add optim_wrapper=dict(constructor='mmdmt.PeerOptimWrapperConstructor') for one of each peer",
    ),
    Rule('dataset', ('MutualDataset',), "give dict(type='mmdmt.MutualDataset', labeled=..., unlabeled=...)"),
    Rule('batch sampler', ('MutualBatchSampler',), "add batch_sampler=dict(type='mmdmt.MutualBatchSampler')"),
    Rule('number of iterations', Same, 'make them equal'),
    Rule('batch size', Same, 'make them equal'),
    Rule('list of peers', Same, 'give one for each peer by its name'),
    Rule('peer', Of('list of peers'), 'name peers of the model'),
    Rule(
        'metric',
        Of('list of metrics'),
        'choose one of those, and let every peer be validated: add val_cfg, and val_evaluator=dict(type='
        "'mmdmt.PeerMetric', metric=...), or set carry='last'",
    ),
    Rule('learning rate', Number(0, above=True), 'give optim_wrapper.optimizer a learning rate > 0'),
    Rule('param_scheduler', ('a config',), 'DMTHook starts it afresh in every phase, so use Runner.from_cfg'),
    Rule(
        'number of EMAHooks',
        Number(1),
        "add to custom_hooks the entry dict(type='EMAHook', ema_type='MomentumAnnealingEMA', momentum=0.004, gamma=1, "
        'update_buffers=True)',
    ),
    Rule('number of images that a mix lacks', (0,), 'draw more of them, or drop the mix'),
    Rule('space of labels', Same, 'give models and data of one; the transform that packs tells that of the data'),
    Rule(
        'online.label_ratio for labels of images',
        (None,),
        'it keeps a share of the pixels of each class, so give online.min_confidence, such as 0.95',
    ),
    Rule('number of trainable weights', Number(1), 'let some be trained (frozen_stages, requires_grad)'),
    Rule('num_classes', Same, 'set num_classes of every head to the number of classes'),
    Rule('num_classes', Number(2), ONE_CLASS_REMEDY),
    Rule('number of classes that a bank of labels cannot tell apart', (0,), 'train with fewer classes'),
    Rule('list of classes', Names(), 'give metainfo=dict(classes=(...)) strings, each once'),
    Rule(
        'list of classes',
        Same,
        'give all the same metainfo classes in the same order as the masks have them, or map_classes=True of DMTHook, '
        'which maps the ids of evaluated masks by name',
    ),
    Rule(
        'ignore_index',
        Same,
        'give all of them the same (ignore_index of heads, datasets, metrics and transforms, seg_pad_val of the '
        'data_preprocessor and of transforms that pad)',
    ),
    Rule('reduce_zero_label', Same, 'give the datasets the same, or convert the masks of one of them'),
    Rule('gap between crops', (0,), 'make stride at most crop_size'),
    Rule('number of whole batches', Number(1), 'take drop_last out, or give a smaller batch_size'),
)


def broken(facts: Facts) -> Iterator[str]:
    """Yield a sentence with the values, the places and the remedy for each broken rule, in the order of the table.

    Example:
        >>> facts = Facts()
        >>> facts['ignore_index'] |= {'the heads': 3, 'the labels': 3, 'the metric': 255}
        >>> [sentence[:57] for sentence in broken(facts)]
        ['The ignore_index is 3 in the heads, but 255 in the metric']
    """
    for rule in TABLE:
        places = dict(facts.get(rule.fact, {}))
        if places and (fault := _fault(rule, places, facts)):
            yield f'The {rule.fact} is {fault}: {rule.remedy}.'


def refuse(facts: Facts) -> None:
    """Raise the first broken rule, if there is one, as a ``ValueError``."""
    for sentence in broken(facts):
        raise ValueError(sentence)


def _fault(rule: Rule, places: dict[str, Any], facts: Facts) -> str:
    if rule.must is Same:
        first, wanted = next(iter(places.items()))
        others = {place: value for place, value in places.items() if value != wanted}
        if not others:
            return ''
        told = [f'{_told(value, wanted)} in {place}' for place, value in others.items()]
        more = f' and {len(told) - 3} more places' if len(told) > 3 else ''
        return f'{_told(wanted, next(iter(others.values())))} in {first}, but {", ".join(told[:3])}{more}'
    for place, value in places.items():
        if isinstance(rule.must, Of):
            known = {name: where for where, names in facts[rule.must.fact].items() for name in names}
            if any(one not in known for one in (value if isinstance(value, tuple) else (value,))):
                where = next(iter(facts[rule.must.fact]), 'the config')
                return f'{_told(value)} in {place}, but {_told(tuple(known)) or "nothing"} in {where}'
        elif value not in rule.must:
            return f'{_told(value)} in {place}'
    return ''


def _told(value: Any, other: Any = ()) -> str:
    """Write a value; of long lists what comes after their common beginning."""
    if not isinstance(value, (list, tuple)):
        return value if isinstance(value, str) and ' ' in value else repr(value)
    start = 0
    if len(value) > LONG and isinstance(other, (list, tuple)):
        same = (one == two for one, two in zip(value, other, strict=False))
        start = next((number for number, equal in enumerate(same) if not equal), 0)
    names = [repr(one) for one in value[start : start + LONG]]
    return ', '.join([*(['...'] if start else []), *names, *(['...'] if start + LONG < len(value) else [])])

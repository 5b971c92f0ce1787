"""Registry nodes of scope ``mmdmt``, children of MMEngine's root registries.

MMEngine imports this module, and the ``locations`` of a node, at the first ``type='mmdmt.X'`` of a config.
"""

from collections.abc import Mapping
from typing import Any

from mmengine import registry
from mmengine.registry import Registry


def _node(parent: Registry, *rooms: str) -> Registry:
    return Registry(parent.name, parent=parent, scope='mmdmt', locations=[f'mmdmt.{room}' for room in rooms])


MODELS = _node(registry.MODELS, 'models', 'losses', 'mixes')
WEIGHT_INITIALIZERS = _node(registry.WEIGHT_INITIALIZERS, 'models')
HOOKS = _node(registry.HOOKS, 'engine')
LOOPS = _node(registry.LOOPS, 'engine')
OPTIM_WRAPPER_CONSTRUCTORS = _node(registry.OPTIM_WRAPPER_CONSTRUCTORS, 'engine')
DATASETS = _node(registry.DATASETS, 'datasets')
DATA_SAMPLERS = _node(registry.DATA_SAMPLERS, 'datasets')
TRANSFORMS = _node(registry.TRANSFORMS, 'datasets.transforms')
METRICS = _node(registry.METRICS, 'evaluation')


def type_name(config: Any) -> str:
    """Return the bare name of a config's type, a name or a class, however it is spelled; ``''`` without one."""
    kind = config.get('type') or ''
    return str(getattr(kind, '__name__', kind)).rpartition('.')[2]


def with_named_types(config: Any) -> Any:
    """Copy a config of dicts, lists and plain values, its classes replaced by their names with their scope."""
    if isinstance(config, Mapping):
        return {key: _named(value) if key == 'type' else with_named_types(value) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return type(config)(map(with_named_types, config))
    return config


def _named(kind: Any) -> Any:
    if isinstance(kind, str):
        return kind
    scope = str(getattr(kind, '__module__', None) or kind).partition('.')[0]
    if isinstance(kind, type) or hasattr(kind, '__name__'):
        name = str(kind.__name__)
    else:  # MMEngine's stand-in for what is not imported yet
        scope, _, name = str(kind).partition('.')[0], '', str(kind).rpartition('.')[2]
    return f'{scope}.{name}' if scope in ('mmseg', 'mmpretrain', 'mmdet', 'mmdmt') else name

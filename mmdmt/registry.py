"""Registry nodes of scope ``mmdmt``, children of MMEngine's root registries.

Every node names the package that registers its members, so that writing ``type='mmdmt.X'`` in a config is enough:
MMEngine imports this module, and this module's locations, on first use.
"""

from collections.abc import Mapping
from typing import Any

from mmengine.registry import DATA_SAMPLERS as MMENGINE_DATA_SAMPLERS
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import LOOPS as MMENGINE_LOOPS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS as MMENGINE_OPTIM_WRAPPER_CONSTRUCTORS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import WEIGHT_INITIALIZERS as MMENGINE_WEIGHT_INITIALIZERS
from mmengine.registry import Registry

MODELS = Registry(
    'model', parent=MMENGINE_MODELS, scope='mmdmt', locations=['mmdmt.models', 'mmdmt.losses', 'mmdmt.mixes']
)
WEIGHT_INITIALIZERS = Registry(
    'weight initializer', parent=MMENGINE_WEIGHT_INITIALIZERS, scope='mmdmt', locations=['mmdmt.models']
)
HOOKS = Registry('hook', parent=MMENGINE_HOOKS, scope='mmdmt', locations=['mmdmt.engine'])
LOOPS = Registry('loop', parent=MMENGINE_LOOPS, scope='mmdmt', locations=['mmdmt.engine'])
OPTIM_WRAPPER_CONSTRUCTORS = Registry(
    'optimizer wrapper constructor',
    parent=MMENGINE_OPTIM_WRAPPER_CONSTRUCTORS,
    scope='mmdmt',
    locations=['mmdmt.engine'],
)
DATASETS = Registry('dataset', parent=MMENGINE_DATASETS, scope='mmdmt', locations=['mmdmt.datasets'])
DATA_SAMPLERS = Registry('data sampler', parent=MMENGINE_DATA_SAMPLERS, scope='mmdmt', locations=['mmdmt.datasets'])
TRANSFORMS = Registry('transform', parent=MMENGINE_TRANSFORMS, scope='mmdmt', locations=['mmdmt.datasets.transforms'])
METRICS = Registry('metric', parent=MMENGINE_METRICS, scope='mmdmt', locations=['mmdmt.evaluation'])


def type_name(config: Any) -> str:
    """Return the bare name of a config's type, however it is spelled.

    Args:
        config (Mapping): With ``type``: a name, one with its scope (``'mmseg.LoadAnnotations'``), or a class, as in
            MMEngine's new-style configs. Without one the name is ``''``.

    Example:
        >>> type_name(dict(type='mmseg.LoadAnnotations')), type_name(dict(type=Registry))
        ('LoadAnnotations', 'Registry')
    """
    kind = config.get('type') or ''
    return str(getattr(kind, '__name__', kind)).rpartition('.')[2]


def with_named_types(config: Any) -> Any:
    """Copy a config, its types that are classes replaced by their names with their scope.

    Args:
        config (Any): Of dicts, lists and plain values.

    Example:
        >>> from mmengine.runner import ValLoop
        >>> with_named_types([dict(type=ValLoop), dict(type='mmseg.FCNHead', channels=(1, 2))])
        [{'type': 'ValLoop'}, {'type': 'mmseg.FCNHead', 'channels': (1, 2)}]
    """
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

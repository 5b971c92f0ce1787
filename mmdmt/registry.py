"""Registry nodes of scope ``mmdmt``, children of MMEngine's root registries.

Every node names the package that registers its members, so that writing ``type='mmdmt.X'`` in a config is enough:
MMEngine imports this module, and this module's locations, on first use.
"""

from mmengine.registry import DATA_SAMPLERS as MMENGINE_DATA_SAMPLERS
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS as MMENGINE_OPTIM_WRAPPER_CONSTRUCTORS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import Registry

MODELS = Registry('model', parent=MMENGINE_MODELS, scope='mmdmt', locations=['mmdmt.models'])
HOOKS = Registry('hook', parent=MMENGINE_HOOKS, scope='mmdmt', locations=['mmdmt.engine'])
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

"""Models: the wrapper, its losses, and networks that the toolboxes lack."""

from importlib.util import find_spec

from mmdmt.losses import DynamicMutualLoss
from mmdmt.models.backbones import WideResNet
from mmdmt.models.initializers import PackagedWeights, TimmWeights
from mmdmt.models.mutual_training import DynamicMutualTraining
from mmdmt.models.no_class_token import NoClassToken
from mmdmt.models.peer_tta import PeerTTAModel

__all__ = [
    'DynamicMutualLoss',
    'DynamicMutualTraining',
    'NoClassToken',
    'PackagedWeights',
    'PeerTTAModel',
    'TimmWeights',
    'WideResNet',
]

# Classification needs no MMSegmentation.
if find_spec('mmseg'):
    from mmdmt.models.decode_heads import DeepLabV2Head

    __all__ += ['DeepLabV2Head']

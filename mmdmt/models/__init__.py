"""Models: the wrapper, its loss, and heads that MMSegmentation lacks."""

from mmdmt.models.decode_heads import DeepLabV2Head
from mmdmt.models.losses import DynamicMutualLoss
from mmdmt.models.mutual_training import DynamicMutualTraining

__all__ = ['DeepLabV2Head', 'DynamicMutualLoss', 'DynamicMutualTraining']

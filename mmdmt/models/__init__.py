"""Models: the wrapper and its loss."""

from mmdmt.models.losses import DynamicMutualLoss
from mmdmt.models.mutual_training import DynamicMutualTraining

__all__ = ['DynamicMutualLoss', 'DynamicMutualTraining']

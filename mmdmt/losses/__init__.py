"""The loss that weighs pseudo labels by agreement."""

from mmdmt.losses.dynamic_mutual_loss import DynamicMutualLoss

__all__ = ['DynamicMutualLoss']

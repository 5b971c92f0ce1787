"""Losses."""

from mmdmt.models.losses.dynamic_mutual_loss import DynamicMutualLoss

__all__ = ['DynamicMutualLoss']

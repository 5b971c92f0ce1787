"""Losses that weigh pseudo labels by agreement."""

from mmdmt.losses.dynamic_mutual_loss import DynamicMutualLoss
from mmdmt.losses.mixup_mutual_loss import Mixture, MixupMutualLoss

__all__ = ['DynamicMutualLoss', 'Mixture', 'MixupMutualLoss']

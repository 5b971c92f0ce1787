"""Mixes: what is done to a peer's batch between its preprocessing and its forward pass."""

from mmdmt.models.mixes.block_mask import BlockMask
from mmdmt.models.mixes.class_mix import ClassMix
from mmdmt.models.mixes.cut_mix import CutMix
from mmdmt.models.mixes.mix import Mix, build_mixes

__all__ = ['BlockMask', 'ClassMix', 'CutMix', 'Mix', 'build_mixes']

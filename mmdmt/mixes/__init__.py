"""Mixes: what is done to a peer's batch between its preprocessing and its forward pass."""

from mmdmt.mixes.block_mask import BlockMask
from mmdmt.mixes.class_mix import ClassMix
from mmdmt.mixes.cut_mix import CutMix
from mmdmt.mixes.mix import Mix, build_mixes, mix_all
from mmdmt.mixes.mix_up import MixUp

__all__ = ['BlockMask', 'ClassMix', 'CutMix', 'Mix', 'MixUp', 'build_mixes', 'mix_all']

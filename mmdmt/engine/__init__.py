"""Hooks, the loop and the optimizer constructor that run the phases."""

from mmdmt.engine.dmt_hook import DMTHook
from mmdmt.engine.optim_constructor import PeerOptimWrapperConstructor
from mmdmt.engine.phase_loop import PhaseTrainLoop
from mmdmt.engine.picture_hook import PictureHook

__all__ = ['DMTHook', 'PeerOptimWrapperConstructor', 'PhaseTrainLoop', 'PictureHook']

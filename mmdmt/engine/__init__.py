"""Engine: what happens when."""

from mmdmt.engine.dmt_hook import DMTHook
from mmdmt.engine.optim_constructor import PeerOptimWrapperConstructor

__all__ = ['DMTHook', 'PeerOptimWrapperConstructor']

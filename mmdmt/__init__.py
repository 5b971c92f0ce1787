"""Dynamic Mutual Training as a plugin of MMSegmentation and MMPretrain."""

from mmdmt import compat
from mmdmt.version import __version__

compat.check_packages()
compat.apply_with_the_stack()

__all__ = ['__version__']

"""Dynamic Mutual Training as a plugin of MMSegmentation and MMPretrain."""

import sys

from mmdmt import compat
from mmdmt.version import __version__

compat.check_packages()
compat.apply_with_the_stack()
for _stream in (sys.stdout, sys.stderr):
    if hasattr(_stream, 'reconfigure'):
        _stream.reconfigure(errors='backslashreplace')  # the names of a user's classes need no Unicode console

__all__ = ['__version__']

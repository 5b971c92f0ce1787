"""Dynamic Mutual Training as a plugin of MMSegmentation and MMPretrain."""

import sys
from contextlib import suppress
from importlib import metadata, util

from packaging.specifiers import SpecifierSet

from mmdmt import compat
from mmdmt.version import __version__

__all__ = ['__version__']

_SUPPORTED = {
    **dict.fromkeys(('mmengine', 'mmengine-lite'), '>=0.10.7,<0.11'),
    **dict.fromkeys(('mmcv', 'mmcv-lite'), '>=2.0.0rc4,<2.2.0'),
    'mmsegmentation': '>=1.2,<1.3',
    'mmpretrain': '>=1.2,<2',
}
"""Versions of OpenMMLab's packages; OneDL's (``onedl-*``) and source trees are taken at any."""


def _check_packages() -> None:
    """Check that the packages mmdmt stands on are there, in versions it supports.

    Raises:
        ImportError: If not. One sentence says what is wanted, what was found and which command installs it.
    """
    remedy = 'run `pip install "mmdmt[openmmlab]"`'
    for modules in (('mmengine',), ('mmcv',), ('mmseg', 'mmpretrain')):
        if not any(map(util.find_spec, modules)):
            raise ImportError(f'mmdmt needs {" or ".join(modules)} but found none: {remedy}.')
    for undeclared in ('ftfy', 'regex') if util.find_spec('mmseg') else ():
        if util.find_spec(undeclared) is None:
            raise ImportError(f'mmdmt needs {undeclared} for mmsegmentation but found none: {remedy}.')
    for name, versions in _SUPPORTED.items():
        with suppress(metadata.PackageNotFoundError):
            version = metadata.version(name)
            if not SpecifierSet(versions).contains(version, prereleases=True):
                raise ImportError(f'mmdmt needs {name} {versions} but found {name} {version}: {remedy}.')


_check_packages()
compat.apply_with_the_stack()
for _stream in (sys.stdout, sys.stderr):
    if hasattr(_stream, 'reconfigure'):
        _stream.reconfigure(errors='backslashreplace')  # the names of a user's classes need no Unicode console

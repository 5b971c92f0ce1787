"""The toolboxes' own scripts, as they are installed."""

import importlib.util
import sys
from pathlib import Path


def toolbox_script(name: str, toolbox: str = 'mmseg') -> Path:
    """Find a script of a toolbox where its package has put it.

    Args:
        name (str): Such as ``'train.py'``.
        toolbox (str): ``'mmseg'`` or ``'mmpretrain'``. Defaults to ``'mmseg'``.

    Raises:
        FileNotFoundError: If the toolbox is not installed, or without its scripts.
    """
    spec = importlib.util.find_spec(toolbox)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f'{toolbox} is not installed: pip install "mmdmt[openmmlab]".')
    package = Path(spec.origin).parent
    # A wheel carries the scripts in .mim; in a checkout they stand beside the package.
    for folder in (package / '.mim' / 'tools', package.parent / 'tools'):
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(f'{toolbox} in {package} has no tools/{name}: reinstall it from a wheel.')


def run_toolbox_script(name: str, toolbox: str = 'mmseg') -> None:
    """Run ``main()`` of a toolbox's script with the arguments of this process.

    The script is imported under a name of its own, not as ``__main__``, so that spawned data workers do not run it.

    Args:
        name (str): Such as ``'train.py'``.
        toolbox (str): ``'mmseg'`` or ``'mmpretrain'``. Defaults to ``'mmseg'``.
    """
    path = toolbox_script(name, toolbox)
    module_name = f'{toolbox}_{path.stem}'
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    module.main()

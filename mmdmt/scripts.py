"""Find and run installed scripts: those of mmdmt, and the toolboxes' training and testing."""

import argparse
import ast
import errno
import importlib.util
import runpy
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)


def script_folder(package: str) -> Path | None:
    """Find the folder of a package's scripts, or None if it is not installed or came without them."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    # A wheel carries the scripts in .mim; in a checkout they stand beside the package.
    return next((path for path in (folder / '.mim' / 'tools', folder.parent / 'tools') if path.is_dir()), None)


def our_scripts() -> dict[str, str]:
    """List our scripts, such as ``'train'`` or ``'dataset_converters/gta'``, with what each does in a sentence."""
    folder, scripts = script_folder('mmdmt'), dict[str, str]()
    if folder is None:
        return scripts
    for path in sorted(folder.rglob('*.py')):
        text = path.read_text(encoding='utf-8')
        if '__main__' in text and 'benchmarks' not in path.parts:
            purpose = (ast.get_docstring(ast.parse(text)) or '').partition('\n')[0]
            scripts[path.relative_to(folder).with_suffix('').as_posix()] = purpose
    return scripts


def run_script(name: str) -> None:
    """Run a script of ours, by its name in :func:`our_scripts`, as Python would run the file."""
    folder = script_folder('mmdmt')
    assert folder is not None
    path = folder / f'{name}.py'
    sys.path.insert(0, str(path.parent))
    runpy.run_path(str(path), run_name='__main__')


def toolbox_script(name: str, toolbox: str = 'mmseg') -> Path:
    """Find a script of a toolbox, such as ``'train.py'``, where its package has put it.

    Raises:
        FileNotFoundError: If the toolbox is not installed, or without its scripts.
    """
    folder = script_folder(toolbox)
    if folder is None or not (folder / name).is_file():
        raise FileNotFoundError(
            f'{toolbox} is not installed, or without its script {name}: pip install "mmdmt[openmmlab]".'
        )
    return folder / name


def run_toolbox_script(name: str) -> None:
    """Run ``main()`` of ``'train.py'`` or ``'test.py'`` of a toolbox with the arguments of this process.

    The script is MMSegmentation's, or MMPretrain's where there is no other: each runs the configs of both. It is
    imported under a name of its own, not as ``__main__``, so that spawned data workers do not run it.
    """
    path = toolbox_script(name, 'mmseg' if importlib.util.find_spec('mmseg') else 'mmpretrain')
    if {'-h', '--help'} & set(sys.argv[1:]):
        _print_help(path)
    for config in (one for one in sys.argv[1:] if one.endswith('.py') and '=' not in one):
        if not Path(config).is_file():
            sys.exit(f'{config} does not exist: give the config of the run.')
    module_name = f'toolbox_{path.stem}'
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None and spec.loader is not None  # noqa: PT018
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    from mmdmt.engine import locked_runner  # with the whole stack, which a help does without

    runner = locked_runner.LockedRunner if name == 'train.py' else locked_runner.PeerTestRunner
    module.Runner = runner  # type: ignore[attr-defined]
    with _unwritable_in_a_sentence():
        module.main()


def _print_help(path: Path) -> None:
    """Run ``parse_args`` of a script without the imports of the stack above it, which take seconds."""

    def needed(node: ast.stmt) -> bool:
        if isinstance(node, ast.Import):
            return all(alias.name.partition('.')[0] in sys.stdlib_module_names for alias in node.names)
        return isinstance(node, ast.FunctionDef) and node.name == 'parse_args'

    parts = [node for node in ast.parse(path.read_text(encoding='utf-8')).body if needed(node)]
    namespace: dict[str, Any] = {'DictAction': argparse.Action}  # MMEngine's prints the same
    exec(compile(ast.Module(parts, []), str(path), 'exec'), namespace)
    namespace['parse_args']()


@contextmanager
def _unwritable_in_a_sentence() -> Iterator[None]:
    """Exit with a sentence where work_dir cannot be written to; the toolbox has a stack trace."""
    try:
        yield
    except OSError as error:
        # A work_dir that is forbidden fails when MMEngine makes the folder of the log: what cannot be made has a name,
        # and cannot be read as a file.
        named = isinstance(error.filename, str) and (error.errno == errno.EEXIST or not Path(error.filename).is_file())
        if error.errno in _FULL:
            sys.exit(
                f'{error}: nothing can be written to work_dir any more. Make room and go on with --resume, from the '
                'last good checkpoint.'
            )
        if error.errno in _FORBIDDEN and named:
            sys.exit(
                f'{error.filename} cannot be made ({error.strerror}): all output goes below work_dir, so give one that '
                'can be written to with --work-dir.'
            )
        raise

"""Find and run installed scripts: those of mmdmt, MMSegmentation and MMPretrain."""

import errno
import importlib.util
import runpy
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FOR_ONE_MODEL = (
    'analysis_tools/benchmark.py',
    'analysis_tools/get_flops.py',
    'analysis_tools/visualization_cam.py',
    'deployment/pytorch2torchscript.py',
    'torchserve/mmseg2torchserve.py',
)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)


def script_folder(package: str) -> Path | None:
    """Find the folder of a package's scripts, or None if it is not installed or came without them.

    Args:
        package (str): ``'mmdmt'``, ``'mmseg'`` or ``'mmpretrain'``.

    Example:
        >>> script_folder('mmseg').name, script_folder('no_such_package')
        ('tools', None)
    """
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    # A wheel carries the scripts in .mim; in a checkout they stand beside the package.
    return next((path for path in (folder / '.mim' / 'tools', folder.parent / 'tools') if path.is_dir()), None)


def script_names(package: str) -> list[str]:
    """List a package's scripts, such as ``'train'`` or ``'dataset_converters/gta'``.

    Args:
        package (str): ``'mmdmt'``, ``'mmseg'`` or ``'mmpretrain'``.

    Example:
        >>> {'train', 'report', 'dataset_converters/gta'} <= set(script_names('mmdmt'))
        True
    """
    folder = script_folder(package)
    if folder is None:
        return []
    mark = '__main__' if package == 'mmdmt' else 'def main('  # as each is run, below
    scripts = [path for path in folder.rglob('*.py') if mark in path.read_text(encoding='utf-8')]
    return sorted(path.relative_to(folder).with_suffix('').as_posix() for path in scripts)


def toolbox_script(name: str, toolbox: str = 'mmseg') -> Path:
    """Find a script of a toolbox where its package has put it.

    Args:
        name (str): Such as ``'train.py'``.
        toolbox (str): ``'mmseg'`` or ``'mmpretrain'``. Defaults to ``'mmseg'``.

    Raises:
        FileNotFoundError: If the toolbox is not installed, or without its scripts.

    Example:
        >>> toolbox_script('train.py').name
        'train.py'
    """
    folder = script_folder(toolbox)
    if folder is None:
        raise FileNotFoundError(f'{toolbox} is not installed, or without its scripts: pip install "mmdmt[openmmlab]".')
    if not (folder / name).is_file():
        raise FileNotFoundError(f'{toolbox} has no {name} in {folder}: `python -m mmdmt` lists its scripts.')
    return folder / name


def run_toolbox_script(name: str, toolbox: str | None = None) -> None:
    """Run ``main()`` of a toolbox's script with the arguments of this process.

    The script is imported under a name of its own, not as ``__main__``, so that spawned data workers do not run it.

    Args:
        name (str): Such as ``'train.py'``.
        toolbox (str, optional): ``'mmseg'`` or ``'mmpretrain'``, whose scripts run the other's configs, too. Defaults
            to None, the first of them that is installed.
    """
    if toolbox is None:
        toolbox = 'mmseg' if importlib.util.find_spec('mmseg') else 'mmpretrain'
    path = toolbox_script(name, toolbox)
    module_name = f'{toolbox}_{path.stem}'
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    if name == 'train.py':
        from mmdmt.engine.locked_runner import LockedRunner  # with the whole stack, which scripts may do without

        module.Runner = LockedRunner  # type: ignore[attr-defined]
    if name in _FOR_ONE_MODEL:
        _refuse_peers(name, sys.argv[1:])
    if name.endswith('browse_dataset.py'):
        from mmdmt.apis.script_data import PaintableVisualizers  # with the toolbox, which scripts may do without

        _check_visualizer(sys.argv[1:])
        module.VISUALIZERS = PaintableVisualizers  # type: ignore[attr-defined]
    if name == 'analysis_tools/confusion_matrix.py':
        from mmdmt.apis.script_data import TestedImages  # likewise

        _check_predictions(sys.argv[1:])
        module.DATASETS = TestedImages  # type: ignore[attr-defined]
    if name == 'test.py':
        _check_tested(sys.argv[1:])
        from mmdmt.engine.locked_runner import PeerTestRunner

        module.Runner = PeerTestRunner  # type: ignore[attr-defined]
    with _unwritable_in_a_sentence():
        module.main()


def _config_of(arguments: Sequence[str]) -> str:
    """Return the config that a script is given; '' if there is none."""
    config = next((one for one in arguments if one.endswith('.py')), '')
    return config if Path(config).is_file() else ''


def _check_visualizer(arguments: Sequence[str]) -> None:
    """Say what a config lacks to be browsed; the toolbox fails with a stack trace."""
    from mmengine.config import Config

    config = _config_of(arguments)
    if config and Config.fromfile(config).get('visualizer') is None and 'visualizer' not in ' '.join(arguments):
        sys.exit(
            f"{config} has no visualizer, which draws the images: add visualizer=dict(type='SegLocalVisualizer', "
            "name='visualizer', vis_backends=[dict(type='LocalVisBackend')]), or take "
            'configs/_base_/default_runtime.py as a base.'
        )


def _refuse_peers(name: str, arguments: Sequence[str]) -> None:
    """Say what to do where a script is for one model and the config is of several."""
    from mmengine.config import Config

    config = _config_of(arguments)
    if not config:
        return
    peers = Config.fromfile(config).get('model', {}).get('peers')
    if peers:
        sys.exit(
            f'{name.removesuffix(".py")} is for one model, but {config} is of the peers {", ".join(peers)}: export one '
            f'with `python -m mmdmt export_peer {config} CHECKPOINT --peer {next(iter(peers))} --out-dir DIR` and give '
            f'DIR/{next(iter(peers))}.py.'
        )


def _check_tested(arguments: Sequence[str]) -> None:
    """Say what a config lacks to be tested, or to be so with test-time augmentation; the toolbox has a stack trace."""
    from mmengine.config import Config

    config = _config_of(arguments)
    if not config:
        return
    settings = Config.fromfile(config)

    def lost(*keys: str) -> str:
        missing = [key for key in keys if settings.get(key) is None]
        return ' and '.join(key for key in missing if not any(one.startswith(key) for one in arguments))

    if '--tta' in arguments and (parts := lost('tta_model', 'tta_pipeline')):
        sys.exit(
            f"--tta needs {parts}, which {config} has not: add tta_model=dict(type='mmdmt.PeerTTAModel') and "
            'tta_pipeline=[dict(type=LoadImageFromFile), dict(type=TestTimeAug, transforms=[...])] as in the configs '
            'of the toolbox.'
        )
    if parts := lost('test_dataloader', 'test_cfg', 'test_evaluator'):
        sys.exit(
            f'{config} has no {parts}: to test on the images of the validation, add test_dataloader=val_dataloader, '
            "test_cfg=dict(type='TestLoop') and test_evaluator=val_evaluator."
        )


def _check_predictions(arguments: Sequence[str]) -> None:
    """Say what to do where the folder of predictions holds one for each peer."""
    for folder in map(Path, arguments):
        inner = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
        if inner and 'ensemble' in inner:
            sys.exit(f'{folder} holds a folder for each of {", ".join(inner)}: give one of them, {folder}/ensemble.')


def run_script(name: str) -> None:
    """Run a script of ours as Python would run the file: others beside it can be imported.

    Args:
        name (str): As :func:`script_names` has it, such as ``'export_peer'``.
    """
    path = toolbox_script(f'{name}.py', 'mmdmt')
    sys.path.insert(0, str(path.parent))
    runpy.run_path(str(path), run_name='__main__')


@contextmanager
def _unwritable_in_a_sentence() -> Iterator[None]:
    """Say what to do where work_dir cannot be written to; the toolbox fails there with a stack trace."""
    try:
        yield
    except OSError as error:
        # A work_dir that is forbidden fails when MMEngine makes the folder of the log: what cannot be made has a name,
        # and is not a file that can be read.
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

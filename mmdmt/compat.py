"""Patch torch, mmcv, mmengine and scipy where their versions do not fit together; no other module does.

``_CURES`` at the end lists the cures in order. Each looks for the feature it cures rather
than for a version, and leaves alone what works.
"""

import functools
import pickle
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module, metadata, util
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

_STACK = ('torch', 'mmengine', 'mmcv', 'mmseg', 'mmpretrain')


@functools.cache
def apply() -> None:
    """Apply every cure that is needed here; a second call does nothing."""
    for cure in _CURES:
        cure()


def apply_with_the_stack() -> None:
    """Apply the cures at the first import of torch or an MM package: now if there has been one.

    Torch and the MM packages take seconds to import, and what prints a help or reads a list needs none of them.
    """
    if any(name in sys.modules for name in _STACK):
        apply()
    else:
        sys.meta_path.insert(0, _CuringFinder())


class _CuringFinder(MetaPathFinder, Loader):
    """Applies the cures before the first of the packages is loaded that they are for."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name not in _STACK:
            return None
        sys.meta_path.remove(self)
        spec = util.find_spec(name)
        sys.meta_path.insert(0, self)
        if spec is not None:
            spec.loader = self
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        sys.meta_path.remove(self)
        apply()
        module = import_module(spec.name)  # the whole of it, most often by a cure
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # which Python has replaced by that of this loader


def _rebind(old: Callable[..., Any], new: Callable[..., Any]) -> None:
    """Put ``new`` in the place of ``old`` in every loaded module of the stack that holds it by its name."""
    for name, module in list(sys.modules.items()):
        if name.partition('.')[0] in _STACK and getattr(module, '__dict__', {}).get(old.__name__) is old:
            setattr(module, old.__name__, new)


def _absent_op(name: str) -> Callable[..., str]:
    """Stand for an op of ``mmcv._ext``, which says when it is called that it is not there."""
    if name.startswith('__'):
        raise AttributeError(name)

    def op(*args: object, **kwargs: object) -> str:
        if name in ('get_compiler_version', 'get_compiling_cuda_version'):  # asked by mmcv's collect_env
            return 'n/a'
        raise RuntimeError(f'{name} is a compiled op: build full mmcv in the place of mmcv-lite, or do without it.')

    return op


def _import_ops_without_extension() -> None:
    """Cure "No module named 'mmcv._ext'" from ``import mmseg.models``, under mmcv-lite.

    mmseg 1.2 imports ``mmcv.ops`` (losses/focal_loss.py), which asks for compiled functions (mmcv/utils/ext_loader.py).
    The stand-in goes at once: mmengine's ``mmcv_full_available`` would look for its spec, and fail.
    """
    if util.find_spec('mmcv._ext') is not None:
        return
    sys.modules['mmcv._ext'] = extension = ModuleType('mmcv._ext')
    extension.__getattr__ = _absent_op  # type: ignore[method-assign]
    import_module('mmcv.ops')
    del sys.modules['mmcv._ext']


def _history_buffer_method(owner: object, name: str) -> Any:
    """Stand for ``getattr`` in a checkpoint, in the one use that mmengine makes of it."""
    from mmengine.logging import HistoryBuffer

    if owner is HistoryBuffer and name in ('min', 'max', 'mean', 'current'):
        return getattr(owner, name)
    raise pickle.UnpicklingError(f'getattr({owner!r}, {name!r}) is not allowed in a checkpoint')


class _CheckpointDtype:
    """Stand for ``np.dtype`` in a checkpoint: plain numbers only, because fields and objects are pointers."""

    def __init__(self, code: object, *_: object) -> None:
        self.dtype = np.dtype(str(code))
        if self.dtype.kind not in 'biufc':
            raise pickle.UnpicklingError(f'dtype {code!r} is not allowed in a checkpoint')

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[2:5] != (None, None, None):  # subarray, names, fields
            raise pickle.UnpicklingError('a dtype with fields is not allowed in a checkpoint')
        self.dtype = self.dtype.newbyteorder(state[1])


class _CheckpointArray(np.ndarray[Any, Any]):
    """Stand for ``np.ndarray`` and numpy's ``_reconstruct`` in a checkpoint; written again, it is an ordinary array."""

    def __new__(cls, *_: object) -> '_CheckpointArray':
        return super().__new__(cls, (0,), 'i1')

    def __setstate__(self, state: Any) -> None:
        version, shape, kind, *rest = state
        super().__setstate__((version, shape, kind.dtype, *rest))

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.view(np.ndarray).__reduce_ex__(protocol)


def _checkpoint_scalar(kind: Any, value: bytes) -> Any:
    """Stand for numpy's ``scalar`` in a checkpoint."""
    return np.frombuffer(value, kind.dtype)[0]


def _load_history_in_checkpoints() -> None:
    """Cure "UnpicklingError: ... HistoryBuffer" from resume, load_from and inference, since torch 2.6.

    mmengine/logging/history_buffer.py pickles numpy arrays and, through ``getattr``, four methods. Plain ``getattr``
    reaches every function, and numpy's dtype restores pointers: restricted ones go by their names. OneDL's
    ``_safe_torch_load`` (runner/checkpoint.py) falls back to loading whatever runs: torch's ``load`` replaces it.
    """
    import torch

    if not hasattr(torch.serialization, 'get_unsafe_globals_in_checkpoint'):  # torch < 2.6: no (function, name) pairs
        return
    from mmengine.logging import HistoryBuffer
    from mmengine.runner import checkpoint

    safe: list[Any] = [
        HistoryBuffer,
        (_history_buffer_method, 'builtins.getattr'),
        (_CheckpointArray, 'numpy.ndarray'),
        (_CheckpointDtype, 'numpy.dtype'),
    ]
    for core in ('numpy.core', 'numpy._core'):  # the name depends on the numpy that wrote the file
        array, scalar = f'{core}.multiarray._reconstruct', f'{core}.multiarray.scalar'
        safe += [(_CheckpointArray, array), (_checkpoint_scalar, scalar)]
    torch.serialization.add_safe_globals(safe)
    if hasattr(checkpoint, '_safe_torch_load'):
        checkpoint._safe_torch_load = torch.load


def _get_installed_path(package: str) -> str:
    """Return the folder of the module that a distribution or a module name stands for."""
    modules = [package]
    with suppress(metadata.PackageNotFoundError):
        modules += (metadata.distribution(package).read_text('top_level.txt') or '').split()
    for spec in map(util.find_spec, modules):
        if spec is not None and spec.origin is not None:
            return str(Path(spec.origin).parent)
    raise metadata.PackageNotFoundError(package)


def _is_installed(package: str) -> bool:
    with suppress(metadata.PackageNotFoundError):
        return bool(_get_installed_path(package))
    return False


def _find_packages_without_pkg_resources() -> None:
    """Cure "No module named 'pkg_resources'" from ``mmseg::`` bases, and let ``mmdmt::`` bases work.

    setuptools 82 dropped what mmengine/utils/package_utils.py imports; ``MODULE2PACKAGE`` of mmengine/config/utils.py
    knows neither mmdmt nor that OneDL's mmseg is not 'mmsegmentation'.
    """
    from mmengine.config.utils import MODULE2PACKAGE
    from mmengine.utils import package_utils

    MODULE2PACKAGE['mmdmt'] = 'mmdmt'
    if not _is_installed('mmsegmentation'):
        MODULE2PACKAGE['mmseg'] = 'mmseg'
    if util.find_spec('pkg_resources') is None:
        _rebind(package_utils.is_installed, _is_installed)
        _rebind(package_utils.get_installed_path, _get_installed_path)


def _leave_our_configs_in_the_default_scope() -> None:
    """Cure "EncoderDecoder is not in the mmdmt::model registry" from ``mmdmt::`` bases.

    ``Config._get_cfg_path`` (mmengine/config/config.py) names the package of a base as the scope of its types; our
    configs take all types without ``mmdmt.`` from ``default_scope``.
    """
    from mmengine.config import Config

    original = Config._get_cfg_path

    def get_cfg_path(cfg_path: str, filename: str) -> tuple[str, str | None]:
        path, scope = original(cfg_path, filename)
        return path, None if scope == 'mmdmt' else scope

    Config._get_cfg_path = staticmethod(get_cfg_path)


def _launch_without_cuda() -> None:
    """Cure "Found no NVIDIA driver" from torchrun with gloo, where there is no CUDA.

    ``_init_dist_pytorch`` and its siblings (mmengine/dist/utils.py) select a CUDA device whatever the backend is.
    """
    import torch
    from mmengine.dist import utils

    def without_set_device(launch: Callable[..., None]) -> Callable[..., None]:
        def launch_on_cpu(*args: Any, **kwargs: Any) -> None:
            set_device, torch.cuda.set_device = torch.cuda.set_device, lambda device: None
            try:
                launch(*args, **kwargs)
            finally:
                torch.cuda.set_device = set_device

        return launch_on_cpu

    if not torch.cuda.is_available():
        for name in ('_init_dist_pytorch', '_init_dist_mpi', '_init_dist_slurm'):
            setattr(utils, name, without_set_device(getattr(utils, name)))


def _wrap_models_on_cpu() -> None:
    """Cure "device_ids ... only work with ... GPU modules" and "SyncBatchNorm layers only work with GPU modules".

    ``Runner.wrap_model`` passes ``device_ids`` whatever the device, and reverts SyncBatchNorm of one process alone.
    """
    import torch
    from mmengine import device, model
    from mmengine.logging import print_log

    def for_cpu(wrap: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(wrap)
        def init(self: Any, module: torch.nn.Module, *args: Any, **kwargs: Any) -> None:
            if any(isinstance(layer, torch.nn.SyncBatchNorm) for layer in module.modules()):
                print_log('SyncBatchNorm needs GPUs: each process keeps its own batch statistics.', logger='current')
                module = model.revert_sync_batchnorm(module)
            wrap(self, module, *args, **{**kwargs, 'device_ids': None, 'output_device': None})

        return init

    if device.get_device() == 'cpu':
        for wrapper in (model.MMDistributedDataParallel, model.MMSeparateDistributedDataParallel):
            wrapper.__init__ = for_cpu(wrapper.__init__)


class _HueFactor(float):
    """A hue factor whose product with 255 wraps around as a byte does, which numpy 1 did when casting."""

    def __mul__(self, other: float) -> int:
        return int(float(self) * other) % 256


def _wrap_negative_hue() -> None:
    """Cure "OverflowError: Python integer -12 out of bounds for uint8" from ColorJitter, at random.

    mmcv/image/photometric.py, ``adjust_hue``, casts a negative number to a byte, which numpy 2 refuses.
    """
    from mmcv.image import photometric

    original = photometric.adjust_hue

    def adjust_hue(img: Any, hue_factor: float, backend: str | None = None) -> Any:
        return original(img, _HueFactor(hue_factor), backend)

    try:
        original(np.zeros((1, 1, 3), np.uint8), -0.5, 'cv2')
    except OverflowError:
        _rebind(original, adjust_hue)


def _interp2d(x: Any, y: Any, z: Any, kind: str = 'linear') -> Callable[[Any, Any], Any]:
    """Interpolate on a grid by splines, constant beyond it: what was used of ``scipy.interpolate.interp2d``."""
    from scipy.interpolate import RectBivariateSpline

    degree = {'linear': 1, 'cubic': 3, 'quintic': 5}[kind]
    spline = RectBivariateSpline(x, y, np.asarray(z).T, kx=degree, ky=degree)
    return lambda x_new, y_new: spline(x_new, y_new).T


def _add_interp2d(interpolate: Any) -> None:
    try:
        interpolate.interp2d([0, 1], [0, 1], [[0, 0], [0, 0]])
    except (AttributeError, NotImplementedError):
        interpolate.interp2d = _interp2d


class _InterpolateFinder(MetaPathFinder):
    """Looks after ``scipy.interpolate`` when, and only if, somebody imports it."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path) if name == 'scipy.interpolate' else None
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_and_add(module: ModuleType) -> None:
                load(module)
                _add_interp2d(module)

            spec.loader.exec_module = load_and_add  # type: ignore[method-assign]
        return spec


def _restore_interp2d() -> None:
    """Cure "`interp2d` has been removed in SciPy 1.14.0" from BEiT's position embeddings, in mmseg and mmpretrain.

    Importing scipy.interpolate is slow, so that this waits for it.
    """
    if 'scipy.interpolate' in sys.modules:
        _add_interp2d(sys.modules['scipy.interpolate'])
    else:
        sys.meta_path.insert(0, _InterpolateFinder())


def _know_builtin_modules() -> None:
    """Cure "configuration file type ... must match" from a config that imports ``os`` before its ``_base_``.

    ``_is_builtin_module`` (mmengine/config/utils.py) goes by the path of a module, which fails for frozen ones and in a
    virtual environment.
    """
    from mmengine.config import utils

    original = utils._is_builtin_module

    def is_builtin_module(module_name: str) -> bool:
        return module_name.partition('.')[0] in sys.stdlib_module_names or original(module_name)

    if not (original('os') and original('json')):
        _rebind(original, is_builtin_module)


_CURES: tuple[Callable[[], None], ...] = (
    _import_ops_without_extension,  # mmcv-lite
    _load_history_in_checkpoints,  # torch >= 2.6
    _find_packages_without_pkg_resources,  # setuptools >= 82
    _leave_our_configs_in_the_default_scope,  # mmdmt:: bases
    _launch_without_cuda,  # several processes, no CUDA
    _wrap_models_on_cpu,  # several processes, CPU
    _wrap_negative_hue,  # numpy >= 2
    _restore_interp2d,  # scipy >= 1.14
    _know_builtin_modules,  # virtual environments; frozen modules
)

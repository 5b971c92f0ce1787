"""Collect the versions and devices that a fault report needs."""

from importlib import metadata

from mmengine.utils.dl_utils import collect_env as collect_machine

from mmdmt.version import __version__

# Distributions, OneDL's forks among them; of each pair of names at most one should be installed.
_DISTRIBUTIONS = (
    *('mmengine', 'mmengine-lite', 'onedl-mmengine', 'mmcv', 'mmcv-lite', 'onedl-mmcv'),
    *('mmsegmentation', 'onedl-mmsegmentation', 'mmpretrain', 'onedl-mmpretrain', 'onedl-mim'),
    *('numpy', 'setuptools', 'ftfy', 'regex', 'scipy', 'scikit-learn', 'matplotlib'),
)


def collect_env() -> dict[str, str]:
    """Collect system, GPUs, and the version of every package that takes part in a run.

    Returns:
        dict[str, str]: First ``mmdmt``, then what MMEngine writes at the head of a log, then installed distributions.

    Example:
        >>> found = collect_env()
        >>> 'PyTorch' in found, 'mmdmt' in found, 'numpy' in found
        (True, True, True)
    """
    found = {'mmdmt': __version__}
    found |= {name: str(value) for name, value in collect_machine().items() if name != 'numpy_random_seed'}
    for name in _DISTRIBUTIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found

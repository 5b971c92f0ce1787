"""Collect the versions and devices that a fault report needs."""

from mmengine.utils.dl_utils import collect_env as collect_machine

from mmdmt.engine.events import versions


def collect_env() -> dict[str, str]:
    """Collect system, GPUs, and the version of every package that results depend on.

    Example:
        >>> found = collect_env()
        >>> 'PyTorch' in found, 'mmdmt' in found, 'numpy' in found
        (True, True, True)
    """
    found = versions()
    machine = {name: str(value) for name, value in collect_machine().items() if name != 'numpy_random_seed'}
    return {'mmdmt': found.pop('mmdmt'), **machine, **found}

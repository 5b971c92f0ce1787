"""Read weight files without running code that is in them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.runner import CheckpointLoader
from torch import Tensor

from mmdmt.integrity import is_whole, is_zip

REFUSED = (
    'only tensors and plain values are read, because a pickle can run any code: give a whole file of torch.save, such '
    'as a checkpoint of MMEngine'
)

CONTAINERS = ('state_dict', 'model_state_dict', 'model', 'ema_state_dict', 'state_dict_ema', 'model_ema', 'ema')
"""Where toolboxes put weights in their files; the first that is there counts."""


def read_checkpoint(path: str | Path, what: str, mmap: bool = False) -> dict[str, Any]:
    """Read a checkpoint on the local disk onto the CPU.

    Args:
        path (str | Path): The file.
        what (str): What it is, for the error message.
        mmap (bool): Whether to read tensors only when they are used, where the format allows it. Defaults to False.

    Returns:
        dict[str, Any]: Its content.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged, no checkpoint, or holds anything but tensors and plain values.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'{path}, {what}, does not exist or is not a file: check the path.')
    # What torch wrote before 1.6 is not a zip file: it has no checksums and cannot be mapped.
    if is_zip(path) and not is_whole(Path(path)):
        raise ValueError(
            f'{path}, {what}, is damaged or incomplete: its content is not what its checksums say. Give a good copy of '
            'it, or another file.'
        )
    try:
        content = torch.load(path, map_location='cpu', weights_only=True, mmap=mmap and is_zip(path))
    except Exception as error:  # torch raises half a dozen types for files that are not its own
        raise _refusal(path, what, error) from error
    return _mapping(path, what, content)


def fetch_checkpoint(path: str, what: str) -> dict[str, Any]:
    """Read a checkpoint from wherever MMEngine finds it: a local file, a URL, a model of a zoo.

    Args:
        path (str): As ``load_from`` has it.
        what (str): What it is, for the error message.

    Returns:
        dict[str, Any]: Its content, on the CPU.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it cannot be fetched, is damaged, or holds anything but tensors and plain values.
    """
    if '://' not in path:
        return read_checkpoint(path, what)
    try:
        content = CheckpointLoader.load_checkpoint(path, map_location='cpu')
    except Exception as error:  # of the network, of torch
        raise _refusal(path, what, error) from error
    return _mapping(path, what, content)


def tensors_of(path: str | Path, what: str, checkpoint: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the weights in a checkpoint.

    Args:
        path (str | Path): Where it is from, for the error message.
        what (str): What it is, likewise.
        checkpoint (Mapping): With ``state_dict`` or another usual name of it, or the tensors themselves.

    Raises:
        ValueError: If what is there are not tensors by name.
    """
    weights = next((checkpoint[key] for key in CONTAINERS if isinstance(checkpoint.get(key), Mapping)), checkpoint)
    weights = checkpoint.get('state_dict', weights)  # where MMEngine looks, whatever is beside it
    named = isinstance(weights, Mapping) and all(isinstance(key, str) for key in weights)
    if not named or not all(isinstance(value, Tensor) for value in weights.values()):
        raise ValueError(f'{path}, {what}, holds no tensors by name: give a file with a state_dict.')
    return dict(weights)


def _refusal(path: str | Path, what: str, error: Exception) -> ValueError:
    return ValueError(f'{path}, {what}, cannot be read safely ({type(error).__name__}): {REFUSED}.')


def _mapping(path: str | Path, what: str, content: Any) -> dict[str, Any]:
    if not isinstance(content, Mapping):
        raise ValueError(f'{path}, {what}, holds a {type(content).__name__}: give a file with a state_dict.')
    return dict(content)

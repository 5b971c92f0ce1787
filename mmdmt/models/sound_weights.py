"""Refuse weights that a network cannot compute with: NaN or infinite ones, or numbers of another kind."""

from collections.abc import Mapping

import torch
from torch import Tensor


def check_sound(given: Mapping[str, Tensor], own: Mapping[str, Tensor], path: str, what: str) -> None:
    """Check that the weights of a file are numbers of the kind that the network has in their places.

    Args:
        given (Mapping[str, Tensor]): Of the file, by the network's names; those that the network lacks do not count.
        own (Mapping[str, Tensor]): Of the network, which may hold infinite constants (masks of attention).
        path (str): Of the file, for the error message.
        what (str): What it is, likewise.

    Raises:
        ValueError: If one is not, with the name of the first and how many there are.
    """
    faults = {name: fault for name, value in given.items() if name in own and (fault := fault_of(value, own[name]))}
    if faults:
        first, fault = next(iter(faults.items()))
        raise ValueError(
            f'{path}, {what}, has {fault} in {first!r}{_and_more(len(faults) - 1)}: training had diverged when it was '
            'written, or it was changed since. Give an earlier checkpoint, or a good copy.'
        )


def fault_of(value: Tensor, own: Tensor) -> str:
    """Say what keeps a tensor from taking the place of a network's own one.

    Args:
        value (Tensor): Of any shape and dtype.
        own (Tensor): Of the network. Where it is not finite itself, the value may be the same.

    Returns:
        str: A noun; ``''`` if there is nothing.

    Examples:
        >>> fault_of(torch.tensor([1.0, float('nan')]), torch.zeros(2))
        'NaN or infinite numbers'
        >>> fault_of(torch.ones(2, dtype=torch.int32), torch.zeros(2))
        'torch.int32 for torch.float32'
        >>> fault_of(torch.ones(2, dtype=torch.float16), torch.zeros(2))
        ''
    """
    if value.layout is not torch.strided:
        return f'a tensor of {value.layout}'
    if own.is_floating_point() and not value.is_floating_point():
        return f'{value.dtype} for {own.dtype}'
    return '' if _is_finite(value, own) else 'NaN or infinite numbers'


def _is_finite(value: Tensor, own: Tensor) -> bool:
    if not (value.is_floating_point() or value.is_complex()) or bool(torch.isfinite(value).all()):
        return True
    if own.shape != value.shape or bool(torch.isfinite(own).all()):
        return False
    return bool((torch.isfinite(value) | (value == own.to(value.device, value.dtype))).all())


def _and_more(number: int) -> str:
    return f' and {number} more of its tensors' if number else ''

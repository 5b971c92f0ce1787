"""Compare plain values of a file with those that they would take the place of."""

import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor


def stranger(given: Any, built: Any, place: str = '') -> str:
    """Find the first value that is of another kind than the one in whose place it would be put.

    Numbers stand for numbers that are finite or the same, truth values for truth values, lists for lists of that
    length, tensors of a shape for such tensors; None may stand for a value that has not been set, and a value for None.

    Args:
        given (Any): Of a file.
        built (Any): Its counterpart.
        place (str): Where it stands. Defaults to ``''``.

    Returns:
        str: The place and the value; ``''`` if there is none.

    Examples:
        >>> stranger({'lr': 0.1, 'betas': (0.9, 1)}, {'lr': 1, 'betas': [0.8, 0.9]})
        ''
        >>> stranger({'lr': 0.1, 'betas': (0.9, 'x')}, {'lr': 1, 'betas': [0.8, 0.9]})
        "betas[1]='x'"
        >>> stranger({'lr': float('nan')}, {'lr': 1})
        'lr=nan'
        >>> stranger({}, {'lr': 1})
        'no lr'
    """
    fault = f'{place}={given!r}'[:80]
    if isinstance(built, Mapping):
        if not isinstance(given, Mapping):
            return fault
        lost = [key for key, value in built.items() if key not in given and value is not None]
        if lost:
            return f'no {lost[0]}'
        return next((found for key in built if (found := stranger(given.get(key), built[key], str(key)))), '')
    if isinstance(built, list | tuple):
        if not isinstance(given, list | tuple) or len(given) != len(built):
            return fault
        pairs = zip(given, built, strict=True)
        return next((found for n, pair in enumerate(pairs) if (found := stranger(*pair, f'{place}[{n}]'))), '')
    if given is None or built is None:
        plain = given is None or isinstance(given, bool | str) or _is_finite(given)
        return '' if plain and not _is_number(built) else fault
    if isinstance(built, Tensor):
        fits = _is_finite(given) or (isinstance(given, Tensor) and given.shape == built.shape)
        return '' if fits else fault
    if isinstance(built, bool) or isinstance(given, bool):
        return '' if isinstance(given, bool) and isinstance(built, bool) else fault
    if _is_number(built):
        return '' if _is_finite(given) or (_is_number(given) and given == built) else fault
    return '' if isinstance(given, type(built)) else fault


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_finite(value: Any) -> bool:
    return _is_number(value) and math.isfinite(value)


def short(value: Any) -> str:
    """Write a value in at most 60 characters, for an error message."""
    return repr(value)[:60]

"""Declare which values the arguments of a class may have, in its ``SETTINGS``, and check what is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isfinite
from numbers import Integral, Real
from typing import Any


@dataclass(frozen=True)
class Number:
    """A finite number in a range, no string of one, as quotes in configs and ``--cfg-options`` can make.

    ``above`` refuses ``least`` itself, ``optional`` allows None, and ``hint`` is a good value and what it means.
    """

    least: float = -inf
    most: float = inf
    above: bool = False
    whole: bool = False
    optional: bool = False
    hint: str = ''

    def __contains__(self, value: Any) -> bool:
        if value is None or isinstance(value, bool) or not isinstance(value, Integral if self.whole else Real):
            return value is None and self.optional
        number = float(value)
        return isfinite(number) and self.least <= number <= self.most and not (self.above and number == self.least)

    def __str__(self) -> str:
        kind = 'a whole number' if self.whole else 'a number'
        if self.most < inf:
            kind += f' in {"(" if self.above else "["}{self.least:g}, {self.most:g}]'
        elif self.least > -inf:
            kind += f' {">" if self.above else ">="} {self.least:g}'
        hint = f', such as {self.hint}' if self.hint else ''
        return f'{kind}{" or None" if self.optional else ""}, without quotes{hint}'


@dataclass(frozen=True)
class Pair:
    """The least and the greatest of a range, numbers of one kind."""

    of: Number

    def __contains__(self, value: Any) -> bool:
        both = isinstance(value, (list, tuple)) and len(value) == 2 and all(one in self.of for one in value)
        return both and value[0] <= value[1]

    def __str__(self) -> str:
        return f'(least, greatest), each {self.of}'


class Choice:
    """One of a few values."""

    def __init__(self, *values: Any) -> None:
        self.values = values

    def __contains__(self, value: Any) -> bool:
        return isinstance(value, str) and value in self.values

    def __str__(self) -> str:
        return f'one of {", ".join(map(repr, self.values))}'


Setting = Number | Pair | Choice


def check_settings(owner: Any, given: Mapping[str, Any], declared: Mapping[str, Setting] | None = None) -> None:
    """Check values against what is declared for them.

    Args:
        owner (Any): An instance whose class has ``SETTINGS``; or a name, for the error message, with ``declared``.
        given (Mapping): The values by name, such as ``locals()`` of a constructor; others beside them do not count.
        declared (Mapping, optional): What each must be. Defaults to None, ``SETTINGS`` of the owner.

    Raises:
        ValueError: If a value is not allowed.

    Example:
        >>> check_settings('BlockMask', {'size': 0}, {'size': Number(1, whole=True)})
        Traceback (most recent call last):
            ...
        ValueError: size=0 of BlockMask: give a whole number >= 1, without quotes.
    """
    name = owner if isinstance(owner, str) else type(owner).__name__
    for key, setting in (owner.SETTINGS if declared is None else declared).items():
        if key in given and given[key] not in setting:
            raise ValueError(f'{key}={given[key]!r} of {name}: give {setting}.')

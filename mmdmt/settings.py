"""Check the arguments that a config gives a class, and name the ones that it takes."""

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any


def check_arguments(name: str, function: Callable[..., Any], given: Mapping[str, Any]) -> None:
    """Check the names of keyword arguments before a call.

    Args:
        name (str): What is called, for the error message.
        function (Callable): Takes them; ``self`` does not count.
        given (Mapping): The arguments by name.

    Raises:
        ValueError: If one of them is not taken, or one that is needed is not given.
    """
    parameters = {key: value for key, value in inspect.signature(function).parameters.items() if key != 'self'}
    if any(value.kind is value.VAR_KEYWORD for value in parameters.values()):
        return
    unknown = [key for key in given if key not in parameters]
    missing = [key for key, value in parameters.items() if value.default is value.empty and key not in given]
    if unknown:
        close = get_close_matches(unknown[0], parameters, n=1)
        guess = f' (is {close[0]!r} meant?)' if close else ''
        inherited = '' if close else ' If a base config sets it, put _delete_=True into the dict that replaces it.'
        raise ValueError(f'{name} takes no {unknown[0]!r}{guess}: give only {", ".join(parameters)}.{inherited}')
    if missing:
        raise ValueError(f'{name} needs {", ".join(map(repr, missing))}: it takes {", ".join(parameters)}.')


def check_number(place: str, value: Any, kind: type = float) -> None:
    """Check that a setting is a number, which ``--cfg-options`` and quotes in configs can make a string.

    Args:
        place (str): Name of the setting, for the error message.
        value (Any): Its value.
        kind (type): ``int`` for whole numbers only. Defaults to float.

    Raises:
        ValueError: If it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int if kind is int else (int, float)):
        wanted = 'a whole number' if kind is int else 'a number'
        raise ValueError(f'{place}={value!r} is a {type(value).__name__}: give {wanted}, without quotes.')

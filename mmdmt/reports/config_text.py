"""Read settings from the text of a dumped config without running it."""

import ast
from collections.abc import Mapping
from typing import Any


def read_config(text: str) -> dict[str, Any]:
    """Read the settings of a config that MMEngine has dumped: nothing but assignments of literals and ``dict(...)``.

    Args:
        text (str): Python text.

    Returns:
        dict: Settings by name; tuples become lists, and what is not a literal stays the text that it is. Empty if the
        text is no Python.
    """
    try:
        return {
            target.id: _value(statement.value)
            for statement in ast.parse(text).body
            if isinstance(statement, ast.Assign)
            for target in statement.targets
            if isinstance(target, ast.Name)
        }
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the latter of nesting without end
        return {}


def flatten(settings: Any, name: str = '') -> dict[str, Any]:
    """Lay nested settings out flat.

    Args:
        settings (Any): Dicts and lists within each other.
        name (str): What stands in front of every name. Defaults to ``''``.

    Returns:
        dict[str, Any]: Values by dotted name, such as ``model.peers.coco.type`` and ``custom_hooks.0.carry``. A list of
        plain values is one value.
    """
    if isinstance(settings, Mapping):
        parts = [(str(key), value) for key, value in settings.items()]
    elif isinstance(settings, list) and any(isinstance(one, Mapping | list) for one in settings):
        parts = [(str(number), value) for number, value in enumerate(settings)]
    else:
        return {name: settings}
    flat = {}
    for key, value in parts:
        flat.update(flatten(value, f'{name}.{key}' if name else key))
    return flat


def as_dict(value: Any) -> dict[str, Any]:
    """Return a part of a config that should be a dict; an empty one where it is something else."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """Return a part of a config that should be a list; an empty one where it is something else."""
    return value if isinstance(value, list) else []


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return [_value(element) for element in node.elts]
    if isinstance(node, ast.Dict):
        return {_key(key): _value(value) for key, value in zip(node.keys, node.values, strict=True) if key}
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == 'dict':
        named = {keyword.arg: _value(keyword.value) for keyword in node.keywords if keyword.arg}
        given = [value for value in map(_value, node.args) if isinstance(value, dict)]
        return {**{key: value for one in given for key, value in one.items()}, **named}
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        operand = node.operand.value
        return -operand if isinstance(operand, int | float) else ast.unparse(node)
    return ast.unparse(node)


def _key(node: ast.expr) -> Any:
    """Return a key of a dictionary: a constant, or the text of what is none, such as a tuple."""
    return node.value if isinstance(node, ast.Constant) else ast.unparse(node)

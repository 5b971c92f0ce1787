"""Read settings from the text of a dumped config without running it."""

import ast
from collections.abc import Mapping
from typing import Any


def read_config(text: str) -> dict[str, Any]:
    """Read the settings of a config that MMEngine has dumped: nothing but assignments of literals and ``dict(...)``.

    Args:
        text (str): Python text.

    Returns:
        dict: Settings by name; tuples become lists, and what is no literal stays the text that it is. Empty if the
        text is no Python.
    """
    try:
        statements = ast.parse(text).body
    except (SyntaxError, ValueError):
        return {}
    return {
        target.id: _value(statement.value)
        for statement in statements
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }


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


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return [_value(element) for element in node.elts]
    if isinstance(node, ast.Dict):
        return {_value(key): _value(value) for key, value in zip(node.keys, node.values, strict=True) if key}
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == 'dict':
        named = {keyword.arg: _value(keyword.value) for keyword in node.keywords if keyword.arg}
        return {**{key: value for given in map(_value, node.args) for key, value in given.items()}, **named}
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        operand = node.operand.value
        return -operand if isinstance(operand, int | float) else ast.unparse(node)
    return ast.unparse(node)

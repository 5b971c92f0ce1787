"""Say what a config changes of the run that it resumes, optimizers and schedules aside."""

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.runner import Runner

from mmdmt.engine.plain_values import short

PARTS = ('model', 'train_dataloader', 'custom_hooks')
"""What of a config says how a run trains. Optimizers and schedules are compared with their own states."""

_SHOWN = 8
_NOTHING = object()


def changed_config(checkpoint: Mapping[str, Any], runner: Runner) -> str:
    """Name the settings that a resumed run has otherwise from now on.

    The checkpoint holds its config as the text of a Python file. It is read, and nothing of it is executed.

    Args:
        checkpoint (Mapping): Its content.
        runner (Runner): About to resume.

    Returns:
        str: A sentence; ``''`` if there is no such setting, or no such text in the checkpoint.
    """
    given, own = _settings(checkpoint['meta'].get('cfg')), _settings(runner.cfg.pretty_text)
    changed = [item for part in PARTS if part in given for item in _changes(part, given[part], own.get(part, _NOTHING))]
    if not changed:
        return ''
    more = f', and {len(changed) - _SHOWN} more' if len(changed) > _SHOWN else ''
    return (
        'The config differs from that of the checkpoint to resume, and counts from now on: '
        f'{", ".join(changed[:_SHOWN])}{more}.'
    )


def _settings(text: Any) -> dict[str, Any]:
    """Read what a config assigns to names at its top level."""
    try:
        assigned = [node for node in ast.parse(text).body if isinstance(node, ast.Assign)]
        return {ast.unparse(node.targets[0]): _value(node.value) for node in assigned}
    except (SyntaxError, TypeError, ValueError, RecursionError, MemoryError):
        return {}


def _value(node: ast.expr) -> Any:
    """Return dicts, also those in the form of a call, lists and plain values; the text of all else."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) == 'dict' and not node.args:
        return {str(keyword.arg): _value(keyword.value) for keyword in node.keywords}
    if isinstance(node, ast.Dict):
        keys = (ast.unparse(key) if key is not None else '**' for key in node.keys)
        return dict(zip(keys, map(_value, node.values), strict=True))
    if isinstance(node, ast.List | ast.Tuple):
        return [_value(element) for element in node.elts]
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node)


def _changes(place: str, given: Any, own: Any) -> Iterator[str]:
    if isinstance(given, dict) and isinstance(own, dict):
        for key in {**given, **own}:
            name = str(key).strip("'")
            yield from _changes(f'{place}.{name}', given.get(key, _NOTHING), own.get(key, _NOTHING))
    elif isinstance(given, list) and isinstance(own, list) and len(given) == len(own):
        for number, pair in enumerate(zip(given, own, strict=True)):
            yield from _changes(f'{place}.{number}', *pair)
    elif given != own:
        yield f'{place}={_shown(own)} (it had {_shown(given)})'


def _shown(value: Any) -> str:
    return 'nothing' if value is _NOTHING else short(value)

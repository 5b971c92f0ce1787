"""Check the weights of all peers in a checkpoint of a run, before MMEngine loads a part of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from mmdmt.models.weights import (
    check_near,
    check_sound,
    fetch_checkpoint,
    fit,
    plain_names,
    read_checkpoint,
    strip_wrapper_prefix,
    tensors_of,
    way_in_for_backbones,
)


def run_weights(path: str, what: str, peers: Sequence[str]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read a checkpoint of a run.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged or cannot be read safely.
    """
    checkpoint = fetch_checkpoint(path, what) if '://' in path else read_checkpoint(path, what, mmap=True)
    weights = plain_names(tensors_of(path, what, checkpoint))
    strip_wrapper_prefix(weights, '', peers)
    return checkpoint, weights


def check_run_weights(path: str, model: Any, complete: bool) -> None:
    """Check the checkpoint that a run takes the weights of all peers from, or that it tests.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it cannot be read safely, is of another model, or holds NaN or infinite weights.
    """
    _, given = run_weights(path, 'load_from', model.peer_names)
    wanted = model.state_dict()
    for name in model.peer_names:
        _check_peer(path, name, _of_peer(name, given), _of_peer(name, wanted), given)
    found = fit(given, wanted)
    if complete and not found.is_complete:
        raise ValueError(f'{path} does not fit this config: {found.describe()}; give a checkpoint of its run.')
    check_sound(given, wanted, path, 'load_from')


def _check_peer(path: str, name: str, own: dict[str, Tensor], wanted: dict[str, Tensor], given: Any) -> None:
    if own:
        remedy = 'give a checkpoint of a run with these very peers'
        check_near(fit(own, wanted), path, f'load_from for peer {name!r}', remedy)
        return
    whole = any('head' in key.partition('.')[0] for key in given)
    backbone = '' if whole else way_in_for_backbones(given, wanted, path)
    remedy = (
        f'its backbone alone fits, so write {backbone} in peers[{name!r}]'
        if backbone
        else 'give a checkpoint of a run with these peers, or that of a single segmentor as '
        f"model.load_from=dict({name}='...')"
    )
    raise ValueError(f'load_from={path} has nothing for peer {name!r} among its {len(given)} tensors: {remedy}.')


def _of_peer(name: str, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    own = {key.removeprefix(f'{name}.'): value for key, value in weights.items() if key.startswith(f'{name}.')}
    return plain_names(own)


def rename_weights(checkpoint: dict[str, Any]) -> None:
    """Give the weights of a checkpoint that was checked the plain names by which MMEngine loads them."""
    weights = plain_names(tensors_of('the checkpoint', 'load_from', checkpoint))
    checkpoint['state_dict'] = {key.replace('._orig_mod.', '.'): value for key, value in weights.items()}

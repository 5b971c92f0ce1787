"""Load the weights of peers from checkpoints of a run or from plain ones."""

from collections.abc import Sequence
from typing import Any

from mmengine.logging import print_log
from torch import Tensor, nn

from mmdmt.models.weights_file import fetch_checkpoint, tensors_of


def strip_wrapper_prefix(weights: dict[str, Any], prefix: str, peers: Sequence[str]) -> None:
    """Name the weights of a peer the same inside and outside its distributed wrapper.

    MMEngine's loader steps over the wrapper while ``state_dict()`` does not, so without this a distributed run writes
    checkpoints that nothing reads back: every key would be dropped with a warning.

    Args:
        weights (dict[str, Any]): A state dict; changed in place, its order kept.
        prefix (str): Of the model in it.
        peers (Sequence[str]): Names of the peers.
    """
    given = dict(weights)
    weights.clear()
    for key, value in given.items():
        for peer in peers:
            wrapped = f'{prefix}{peer}.module.'
            if key.startswith(wrapped):
                key = f'{prefix}{peer}.{key.removeprefix(wrapped)}'
        weights[key] = value


def load_plain_checkpoint(name: str, peer: nn.Module, path: str) -> None:
    """Load a checkpoint of the very segmentor that a peer is.

    Args:
        name (str): Of the peer.
        peer (nn.Module): Gets the weights.
        path (str): Whatever MMEngine loads checkpoints from.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it cannot be read safely, or a tensor of the peer is missing or has another shape.
    """
    what = f'the checkpoint for peer {name!r}'
    given = tensors_of(path, what, fetch_checkpoint(path, what))
    wanted: dict[str, Tensor] = peer.state_dict()
    unfit = [
        f'{key} ({"missing" if key not in given else f"{tuple(given[key].shape)} for {tuple(value.shape)}"})'
        for key, value in wanted.items()
        if key not in given or given[key].shape != value.shape
    ]
    if unfit:
        raise ValueError(
            f'{path}, the checkpoint for peer {name!r}, does not fit {len(unfit)} of its {len(wanted)} tensors, first '
            f'{unfit[0]}: give a checkpoint of this very segmentor, or, for backbone weights alone, set init_cfg of '
            "the peer's backbone."
        )
    peer.load_state_dict({key: given[key] for key in wanted})
    print_log(f'Peer {name!r} starts from {path}: all {len(wanted)} tensors loaded.', logger='current')

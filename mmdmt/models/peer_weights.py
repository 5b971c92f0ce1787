"""Load the weights of peers from checkpoints of a run or from plain ones."""

from collections.abc import Sequence
from typing import Any

from mmengine.logging import print_log
from torch import Tensor, nn

from mmdmt.models.sound_weights import check_sound
from mmdmt.models.weight_fit import COUNTER, check_near, fit, plain_names, way_in_for_backbones
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
        peer (nn.Module): Gets the weights; those few that the file lacks stay as they are, and are told in a table.
        path (str): Whatever MMEngine loads checkpoints from.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it cannot be read safely, or more of the peer's weights are missing or have another shape.
    """
    what = f'the checkpoint for peer {name!r}'
    given = plain_names(tensors_of(path, what, fetch_checkpoint(path, what)))
    wanted: dict[str, Tensor] = peer.state_dict()
    found = fit(given, wanted)
    backbone = '' if found.is_near else way_in_for_backbones(given, wanted, path)
    remedy = 'give a checkpoint of this very segmentor, or, for backbone weights alone, set init_cfg of its backbone'
    if backbone:
        remedy = f'its backbone alone fits, so write {backbone} in peers[{name!r}] and drop model.load_from'
    check_near(found, path, what, remedy)
    check_sound(found.weights, wanted, path, what)
    peer.load_state_dict(found.weights, strict=False)
    weights = [key for key in wanted if not key.endswith(COUNTER)]
    loaded = len(weights) - len(found.misfits)
    print_log(f'Peer {name!r} starts from {path}: {loaded} of {len(weights)} tensors loaded.', logger='current')

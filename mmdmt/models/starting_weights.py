"""Check and load what peers start from: ``init_cfg``, plain checkpoints, checkpoints of runs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.logging import print_log
from torch import Tensor, nn

from mmdmt.models.weights import (
    COUNTER,
    MOST_LOST_AT_INIT,
    check_sound,
    fetch_checkpoint,
    fit,
    plain_names,
    read_checkpoint,
    strip_wrapper_prefix,
    tensors_of,
    way_in_for_backbones,
)
from mmdmt.registry import type_name


@contextmanager
def watched_init(name: str, peer: nn.Module) -> Iterator[None]:
    """Check, while a peer is initialized, that ``init_cfg=dict(type='Pretrained')`` finds nearly all weights.

    MMEngine goes on with random numbers in their place, and backbones that name their weights otherwise rename those
    of the file first: so what counts is what is handed to them in the end.

    Raises:
        ValueError: Before the context, if a local file is damaged, or holds anything but tensors and plain values;
            inside of it, if weights are not those of the module.
    """
    handles = []
    for place, module in peer.named_modules():
        configs = getattr(module, 'init_cfg', None) or ()
        for config in [configs] if isinstance(configs, Mapping) else configs:
            path = type_name(config) in ('Pretrained', 'PretrainedInit') and config.get('checkpoint')
            if path:
                what = f'init_cfg of {place or "the network"} of peer {name!r}'
                if Path(path).is_file():
                    read_checkpoint(path, what, mmap=True)
                handles.append(module._register_load_state_dict_pre_hook(_Check(module, str(path), what)))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class _Check:
    """Look at the weights that a module is given."""

    def __init__(self, module: nn.Module, path: str, what: str) -> None:
        self.module, self.path, self.what = module, path, what

    def __call__(self, weights: Mapping[str, Tensor], prefix: str, *_: Any) -> None:
        given = {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}
        own = self.module.state_dict()
        found = fit(given, own)
        check_sound(found.weights, own, self.path, self.what)
        remedy = (
            "most of it would start from random numbers; give the weights of this very network (prefix='backbone.' for "
            'the backbone of a whole segmentor), or init_cfg=None'
        )
        found.check(self.path, self.what, found.lost <= MOST_LOST_AT_INIT, remedy)


def load_plain_checkpoint(name: str, peer: nn.Module, path: str) -> None:
    """Load a checkpoint of the very segmentor that a peer is.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it cannot be read safely, or more of the peer's weights are missing or have another shape.
    """
    what = f'the checkpoint for peer {name!r}'
    given = plain_names(tensors_of(path, what, fetch_checkpoint(path, what)))
    wanted: dict[str, Tensor] = peer.state_dict()
    found = fit(given, wanted)
    remedy = 'give a checkpoint of this very segmentor, or, for backbone weights alone, set init_cfg of its backbone'
    if not found.is_near and (backbone := way_in_for_backbones(given, wanted, path)):
        remedy = f'its backbone alone fits, so write {backbone} in peers[{name!r}] and drop model.load_from'
    found.check(path, what, found.is_near, remedy)
    check_sound(found.weights, wanted, path, what)
    peer.load_state_dict(found.weights, strict=False)
    weights = [key for key in wanted if not key.endswith(COUNTER)]
    loaded = len(weights) - len(found.misfits)
    print_log(f'Peer {name!r} starts from {path}: {loaded} of {len(weights)} tensors loaded.', logger='current')


def run_weights(path: str, what: str, peers: Sequence[str]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read a checkpoint of a run, and its weights by their plain names; see :func:`fetch_checkpoint`."""
    checkpoint = fetch_checkpoint(path, what, mmap=True)
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
        own, of_peer = _of_peer(name, given), _of_peer(name, wanted)
        if not own:
            raise ValueError(
                f'load_from={path} has nothing for peer {name!r} among its {len(given)} tensors: '
                f'{_remedy(path, name, given, of_peer)}.'
            )
        found = fit(own, of_peer)
        remedy = 'give a checkpoint of a run with these very peers'
        found.check(path, f'load_from for peer {name!r}', found.is_near, remedy)
    found = fit(given, wanted)
    if complete and not found.is_complete:
        raise ValueError(f'{path} does not fit this config: {found.describe()}; give a checkpoint of its run.')
    check_sound(given, wanted, path, 'load_from')


def _of_peer(name: str, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    own = {key.removeprefix(f'{name}.'): value for key, value in weights.items() if key.startswith(f'{name}.')}
    return plain_names(own)


def _remedy(path: str, name: str, given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str:
    """Write how a file that is of no run is loaded."""
    whole = any('head' in key.partition('.')[0] for key in given)
    if not whole and (backbone := way_in_for_backbones(given, wanted, path)):
        return f'its backbone alone fits, so write {backbone} in peers[{name!r}]'
    return (
        'give a checkpoint of a run with these peers, or that of a single segmentor as '
        f"model.load_from=dict({name}='...')"
    )


def rename_weights(checkpoint: dict[str, Any]) -> None:
    """Give the weights of a checkpoint that was checked the plain names by which MMEngine loads them."""
    weights = plain_names(tensors_of('the checkpoint', 'load_from', checkpoint))
    checkpoint['state_dict'] = {key.replace('._orig_mod.', '.'): value for key, value in weights.items()}

"""Check and load what peers start from: ``init_cfg``, plain checkpoints, checkpoints of runs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from mmengine.logging import print_log
from torch import Tensor, nn

from mmdmt.models.weights import check_sound, fit, plain_names, read_checkpoint, tensors_of
from mmdmt.registry import type_name

MOST_LOST = 0.2
"""The share of a module that may stay random beside what its ``init_cfg`` names."""


@contextmanager
def watched_init(name: str, peer: nn.Module) -> Iterator[None]:
    """Check, while a peer is initialized, that ``init_cfg=dict(type='Pretrained')`` finds nearly all weights.

    MMEngine goes on with random numbers in their place, and backbones that name their weights otherwise rename those
    of the file first: so what counts is what is handed to them in the end.

    Raises:
        ValueError: Before the context, if a local file is damaged, or holds anything but tensors and plain values;
            inside of it, if weights are not those of the module.
    """
    with ExitStack() as stack:
        for place, module in peer.named_modules():
            configs = getattr(module, 'init_cfg', None) or ()
            for config in [configs] if isinstance(configs, Mapping) else configs:
                path = type_name(config) in ('Pretrained', 'PretrainedInit') and config.get('checkpoint')
                if path:
                    what = f'init_cfg of {place or "the network"} of peer {name!r}'
                    if Path(path).is_file():
                        read_checkpoint(path, what, mmap=True)
                    check = partial(_check_given, module, str(path), what)
                    stack.callback(module._register_load_state_dict_pre_hook(check).remove)
        yield


def _check_given(module: nn.Module, path: str, what: str, weights: Mapping[str, Tensor], prefix: str, *_: Any) -> None:
    """Look at the weights that a module is given."""
    own = module.state_dict()
    found = fit(_under(prefix, weights), own)
    check_sound(found.weights, own, path, what)
    remedy = (
        "most of it would start from random numbers; give the weights of this very network (prefix='backbone.' for the "
        'backbone of a whole segmentor), or init_cfg=None'
    )
    found.check(path, what, found.lost <= MOST_LOST, remedy)


def _under(prefix: str, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}


def load_plain_checkpoint(name: str, peer: nn.Module, path: str) -> None:
    """Load a checkpoint of the very model that a peer is.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it cannot be read safely, or more of the peer's weights are missing or have another shape.
    """
    what = f'the checkpoint for peer {name!r}'
    wanted: dict[str, Tensor] = peer.state_dict()
    found = fit(plain_names(tensors_of(path, what, read_checkpoint(path, what))), wanted)
    remedy = (
        'give a checkpoint of this very model; weights of a backbone alone go into '
        f"backbone=dict(init_cfg=dict(type='Pretrained', checkpoint='{path}', prefix='backbone.'))"
    )
    found.check(path, what, found.is_near, remedy)
    check_sound(found.weights, wanted, path, what)
    peer.load_state_dict(found.weights, strict=False)
    print_log(f'Peer {name!r} starts from {path}.', logger='current')


def run_weights(path: str, what: str, peers: Sequence[str]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read a checkpoint of a run, and its weights by their plain names; errors are those of `read_checkpoint`."""
    checkpoint = read_checkpoint(path, what, mmap=True)
    return checkpoint, plain_names(tensors_of(path, what, checkpoint), peers)


def check_run_weights(path: str, model: Any, complete: bool) -> None:
    """Check the checkpoint that a run takes the weights of all peers from or, ``complete``, that it tests.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it cannot be read safely, is of another model, or holds NaN or infinite weights.
    """
    _, given = run_weights(path, 'load_from', model.peer_names)
    for name, peer in model.bare_peers.items():
        own, wanted = _under(f'{name}.', given), peer.state_dict()
        if not own:
            raise ValueError(
                f'load_from={path} has nothing for peer {name!r} among its {len(given)} tensors: give a checkpoint of '
                f"a run with these peers, or that of a single model as model.load_from=dict({name}='...')."
            )
        found, what = fit(own, wanted), f'load_from for peer {name!r}'
        enough = found.is_near and not complete
        found.check(path, what, enough, 'give a checkpoint of a run with these very peers')
        check_sound(own, wanted, path, what)


def rename_weights(checkpoint: dict[str, Any], peers: Sequence[str]) -> None:
    """Give the weights of a checkpoint that was checked the plain names by which MMEngine loads them."""
    checkpoint['state_dict'] = plain_names(tensors_of('the checkpoint', 'load_from', checkpoint), peers)

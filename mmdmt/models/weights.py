"""Read weights from files without running code in them, and tell whether they are those of a network."""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmengine.logging import print_log
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from mmdmt.integrity import is_whole, is_zip
from mmdmt.registry import type_name

REFUSED = (
    'only tensors and plain values are read, because a pickle can run any code: give a whole file of torch.save, such '
    'as a checkpoint of MMEngine'
)

CONTAINERS = ('state_dict', 'model_state_dict', 'model', 'ema_state_dict', 'state_dict_ema', 'model_ema', 'ema')
"""Where toolboxes put weights in their files; the first that is there counts."""
COUNTER = 'num_batches_tracked'
"""Old checkpoints of torch do not count batches, and what predicts does not need the number."""
AUXILIARY = 'auxiliary_head'
WRAPPERS = ('module.', '_orig_mod.')
"""What data-parallel and compiled networks put in front of every name."""
_POINTER = b'version https://git-lfs'
MOST_LOST = 0.01
MOST_LOST_AT_INIT = 0.2
MOST_ROWS = 20


def read_checkpoint(path: str | Path, what: str, mmap: bool = False) -> dict[str, Any]:
    """Read a checkpoint on the local disk onto the CPU.

    Args:
        path (str | Path): The file.
        what (str): What it is, for the error message.
        mmap (bool): Whether to read tensors only when they are used, where the format allows it. Defaults to False.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged, no checkpoint, or holds anything but tensors and plain values.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'{path}, {what}, does not exist or is not a file: check the path.')
    with Path(path).open('rb') as file:
        if file.read(len(_POINTER)) == _POINTER:
            raise ValueError(
                f'{path}, {what}, is a pointer of Git LFS in the place of the file: run `git lfs pull` where it is '
                'from, or download the file itself.'
            )
    # What torch wrote before 1.6 is not a zip file: it has no checksums and cannot be mapped.
    if is_zip(path) and not is_whole(Path(path)):
        raise ValueError(
            f'{path}, {what}, is damaged or incomplete: its content is not what its checksums say. Give a good copy of '
            'it, or another file.'
        )
    try:
        content = torch.load(path, map_location='cpu', weights_only=True, mmap=mmap and is_zip(path))
    except Exception as error:  # torch raises half a dozen types for files that are not its own
        raise _refusal(path, what, error) from error
    return _mapping(path, what, content)


def fetch_checkpoint(path: str, what: str) -> dict[str, Any]:
    """Read a checkpoint from wherever MMEngine finds it: a local file, a URL, a model of a zoo.

    Args:
        path (str): As ``load_from`` has it.
        what (str): What it is, for the error message.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it cannot be fetched, is damaged, or holds anything but tensors and plain values.
    """
    if '://' not in path:
        return read_checkpoint(path, what)
    try:
        content = CheckpointLoader.load_checkpoint(path, map_location='cpu')
    except Exception as error:  # of the network, of torch
        raise _refusal(path, what, error) from error
    return _mapping(path, what, content)


def tensors_of(path: str | Path, what: str, checkpoint: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the weights in a checkpoint.

    Args:
        path (str | Path): Where it is from, for the error message.
        what (str): What it is, likewise.
        checkpoint (Mapping): With ``state_dict`` or another usual name of it, or the tensors themselves.

    Raises:
        ValueError: If what is there are not tensors by name.
    """
    weights = next((checkpoint[key] for key in CONTAINERS if isinstance(checkpoint.get(key), Mapping)), checkpoint)
    weights = checkpoint.get('state_dict', weights)  # where MMEngine looks, whatever is beside it
    named = isinstance(weights, Mapping) and all(isinstance(key, str) for key in weights)
    if not named or not all(isinstance(value, Tensor) for value in weights.values()):
        raise ValueError(f'{path}, {what}, holds no tensors by name: give a file with a state_dict.')
    return dict(weights)


def _refusal(path: str | Path, what: str, error: Exception) -> ValueError:
    found = re.search(r'GLOBAL (\S+)', str(error))
    if found and not found[1].startswith(('torch', 'numpy', 'os', 'posix', 'builtins')):
        return ValueError(
            f'{path}, {what}, holds a {found[1]} beside its weights, and {REFUSED.partition(":")[0]}: where you trust '
            "it, save its weights alone, torch.save({'state_dict': weights}, FILE)."
        )
    return ValueError(f'{path}, {what}, cannot be read safely ({type(error).__name__}): {REFUSED}.')


def check_initial(name: str, peer: nn.Module) -> None:
    """Read the local files that parts of a peer start from (``init_cfg``, ``pretrained``), and say why one is refused.

    Raises:
        ValueError: If a file is damaged, or holds anything but tensors and plain values.
    """
    for module in peer.modules():
        configs = getattr(module, 'init_cfg', None) or ()
        for config in [configs] if isinstance(configs, Mapping) else configs:
            path = config.get('checkpoint') if type_name(config) == 'Pretrained' else None
            if path and Path(path).is_file():
                read_checkpoint(
                    path, f'the weights that {type(module).__name__} of peer {name!r} starts from', mmap=True
                )


def _mapping(path: str | Path, what: str, content: Any) -> dict[str, Any]:
    if not isinstance(content, Mapping):
        raise ValueError(f'{path}, {what}, holds a {type(content).__name__}: give a file with a state_dict.')
    return dict(content)


def check_sound(given: Mapping[str, Tensor], own: Mapping[str, Tensor], path: str, what: str) -> None:
    """Check that the weights of a file are numbers of the kind that the network has in their places.

    Raises:
        ValueError: If one is not, with the name of the first and how many there are.
    """
    faults = {name: fault for name, value in given.items() if name in own and (fault := fault_of(value, own[name]))}
    if faults:
        first, fault = next(iter(faults.items()))
        raise ValueError(
            f'{path}, {what}, has {fault} in {first!r}{_and_more(len(faults) - 1)}: training had diverged when it was '
            'written, or it was changed since. Give an earlier checkpoint, or a good copy.'
        )


def fault_of(value: Tensor, own: Tensor) -> str:
    """Say what keeps a tensor from taking the place of a network's own one.

    Args:
        value (Tensor): Of any shape and dtype.
        own (Tensor): Of the network. Where it is not finite itself, the value may be the same.

    Returns:
        str: A noun; ``''`` if there is nothing.

    Examples:
        >>> fault_of(torch.tensor([1.0, float('nan')]), torch.zeros(2))
        'NaN or infinite numbers'
        >>> fault_of(torch.ones(2, dtype=torch.int32), torch.zeros(2))
        'torch.int32 for torch.float32'
        >>> fault_of(torch.ones(2, dtype=torch.float16), torch.zeros(2))
        ''
    """
    if value.layout is not torch.strided:
        return f'a tensor of {value.layout}'
    if own.is_floating_point() and not value.is_floating_point():
        return f'{value.dtype} for {own.dtype}'
    return '' if _is_finite(value, own) else 'NaN or infinite numbers'


def _is_finite(value: Tensor, own: Tensor) -> bool:
    if not (value.is_floating_point() or value.is_complex()) or bool(torch.isfinite(value).all()):
        return True
    if own.shape != value.shape or bool(torch.isfinite(own).all()):
        return False
    return bool((torch.isfinite(value) | (value == own.to(value.device, value.dtype))).all())


def _and_more(number: int) -> str:
    return f' and {number} more of its tensors' if number else ''


class Fit(NamedTuple):
    """What of a file fits a network.

    Attributes:
        weights: Those that fit, by the network's names, counters of batches included.
        misfits: The network's other weights: name, shape in the file (None if missing there), shape in the network.
        lost: The share of the network's weights that does not fit, by their number of elements; an auxiliary head that
            the file lacks altogether does not count.
        parts: The share that fits of each part of the network (``backbone``, ``decode_head``).
    """

    weights: dict[str, Tensor]
    misfits: list[tuple[str, tuple[int, ...] | None, tuple[int, ...]]]
    lost: float
    parts: dict[str, float]

    @property
    def is_complete(self) -> bool:
        """Whether every weight fits."""
        return not self.misfits

    @property
    def is_near(self) -> bool:
        """Whether nearly all weights fit, and at least half of those of each part."""
        halves = (share >= 0.5 for part, share in self.parts.items() if part != AUXILIARY)
        return self.lost <= MOST_LOST and all(halves)

    def describe(self) -> str:
        """Say in a clause how many weights do not fit, and the first of them."""
        name, there, here = self.misfits[0]
        first = f'{name} ({"missing" if there is None else f"{there} for {here}"})'
        return f'{len(self.misfits)} of {len(self.misfits) + self._fitting} tensors do not fit, first {first}'

    @property
    def _fitting(self) -> int:
        return sum(not name.endswith(COUNTER) for name in self.weights)

    def log(self, path: str, what: str) -> None:
        """Log a table of what does not fit."""
        rows = [(name, there or 'missing', here) for name, there, here in self.misfits[:MOST_ROWS]]
        width = max((len(name) for name, _, _ in rows), default=0)
        table = '\n'.join(f'  {name:<{width}}  file {there!s:<18}  network {here}' for name, there, here in rows)
        more = len(self.misfits) - len(rows)
        rest = f'\n  and {more} more' if more else ''
        print_log(f'{path}, {what}: {self.describe()}.\n{table}{rest}', logger='current', level=logging.WARNING)


def plain_names(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Take what wrappers put in front of names away."""
    named = {}
    for name, value in weights.items():
        while name.startswith(WRAPPERS):
            name = name.partition('.')[2]
        named[name] = value
    return named


def fit(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> Fit:
    """Compare the weights of a file with those of a network."""
    weights = {
        name: given[name] for name, value in wanted.items() if name in given and given[name].shape == value.shape
    }
    misfits: list[tuple[str, tuple[int, ...] | None, tuple[int, ...]]] = [
        (name, tuple(given[name].shape) if name in given else None, tuple(value.shape))
        for name, value in wanted.items()
        if name not in weights and not name.endswith(COUNTER)
    ]
    sizes: dict[str, list[int]] = {}
    for name, value in wanted.items():
        if not name.endswith(COUNTER):
            of_part = sizes.setdefault(name.partition('.')[0], [0, 0])
            of_part[0] += value.numel() if name in weights else 0
            of_part[1] += value.numel()
    if not any(name.startswith(f'{AUXILIARY}.') for name in given):
        sizes.pop(AUXILIARY, None)
    total = sum(size for _, size in sizes.values())
    lost = 1 - sum(fitting for fitting, _ in sizes.values()) / max(total, 1)
    parts = {part: fitting / max(size, 1) for part, (fitting, size) in sizes.items()}
    return Fit(weights, misfits, lost, parts)


def check_near(found: Fit, path: str, what: str, remedy: str) -> None:
    """Check that nearly all weights of a network are in a file, and log a table of the others.

    Raises:
        ValueError: If more do not fit.
    """
    if found.is_complete:
        return
    found.log(path, what)
    if not found.is_near:
        raise ValueError(f'{path}, {what}, is of another network: {found.describe()}; {remedy}.')


def way_in_for_backbones(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor], path: str) -> str:
    """Say how weights of a backbone alone are loaded; '' if a file holds something else."""
    backbone = {name.removeprefix('backbone.'): value for name, value in wanted.items() if name.startswith('backbone.')}
    for prefix in ('backbone.', ''):
        inner = {name.removeprefix(prefix): value for name, value in given.items() if name.startswith(prefix)}
        if backbone and fit(inner, backbone).lost <= MOST_LOST_AT_INIT:
            argument = f", prefix='{prefix}'" if prefix else ''
            return f"backbone=dict(init_cfg=dict(type='Pretrained', checkpoint='{path}'{argument}))"
    return ''


@contextmanager
def watched_init(name: str, peer: nn.Module) -> Iterator[None]:
    """Check, while a peer is initialized, that ``init_cfg=dict(type='Pretrained')`` finds nearly all weights.

    MMEngine goes on with random numbers in their place, and backbones that name their weights otherwise rename those
    of the file first: so what counts is what is handed to them in the end.

    Raises:
        ValueError: Inside of the context, if they are not there.
    """
    handles = []
    for place, module in peer.named_modules():
        for config in _configs(getattr(module, 'init_cfg', None)):
            if type_name(config) in ('Pretrained', 'PretrainedInit') and config.get('checkpoint'):
                check = _Check(f'{place or "the network"} of peer {name!r}', module, str(config['checkpoint']))
                handles.append(module._register_load_state_dict_pre_hook(check))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class _Check:
    """Look at the weights that a module is given."""

    def __init__(self, where: str, module: nn.Module, path: str) -> None:
        self.where, self.module, self.path = where, module, path

    def __call__(self, weights: Mapping[str, Tensor], prefix: str, *_: Any) -> None:
        given = {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}
        own, what = self.module.state_dict(), f'init_cfg of {self.where}'
        found = fit(given, own)
        check_sound(found.weights, own, self.path, what)
        if found.is_complete:
            return
        found.log(self.path, what)
        if found.lost > MOST_LOST_AT_INIT:
            raise ValueError(
                f'{self.path}, {what}, is of another network: {found.describe()}, and so it would start from random '
                "numbers; give the weights of this very network (prefix='backbone.' for the backbone of a whole "
                'segmentor), or init_cfg=None.'
            )


def _configs(init_cfg: Any) -> Sequence[Mapping[str, Any]]:
    if isinstance(init_cfg, Mapping):
        return [init_cfg]
    return [one for one in init_cfg if isinstance(one, Mapping)] if isinstance(init_cfg, list) else []


def strip_wrapper_prefix(weights: dict[str, Any], prefix: str, peers: Sequence[str]) -> None:
    """Name the weights of a peer the same inside and outside its distributed wrapper.

    MMEngine's loader steps over the wrapper while ``state_dict()`` does not, so without this a distributed run writes
    checkpoints that nothing reads back: every key would be dropped with a warning.
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

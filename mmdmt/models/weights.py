"""Read weights from files without running code in them, and compare them with those of a network."""

import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmengine.logging import print_log
from mmengine.runner import CheckpointLoader
from torch import Tensor

from mmdmt.integrity import is_whole, is_zip

REFUSED = 'only tensors and plain values are read, because a pickle can run any code'
CONTAINERS = ('state_dict', 'model_state_dict', 'model', 'ema_state_dict', 'state_dict_ema', 'model_ema', 'ema')
"""Where toolboxes put weights in their files; the first that is there counts."""
COUNTER = 'num_batches_tracked'
"""Old checkpoints of torch do not count batches, and what predicts does not need the number."""
AUXILIARY = 'auxiliary_head'
WRAPPERS = ('module.', '_orig_mod.')
"""What data-parallel and compiled networks put in front of every name."""
MOST_LOST = 0.01
MOST_LOST_AT_INIT = 0.2
MOST_ROWS = 20


def read_checkpoint(path: str | Path, what: str, mmap: bool = False) -> dict[str, Any]:
    """Read a checkpoint, ``what`` in error messages, onto the CPU; with ``mmap`` tensors only when they are used.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged, no checkpoint, or holds anything but tensors and plain values.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'{path}, {what}, does not exist as a file: check the path.')
    with Path(path).open('rb') as file:
        if file.read(24).startswith(b'version https://git-lfs'):
            raise ValueError(
                f'{path}, {what}, is a pointer of Git LFS in the place of the file: run `git lfs pull` where it is '
                'from, or download the file itself.'
            )
    # What torch wrote before 1.6 has no checksums and cannot be mapped: these are zip files only since then.
    if is_zip(path) and not is_whole(Path(path)):
        raise ValueError(f'{path}, {what}, is damaged or incomplete by its checksums: give a good copy of it.')
    return _read(
        path, what, lambda: torch.load(path, map_location='cpu', weights_only=True, mmap=mmap and is_zip(path))
    )


def fetch_checkpoint(path: str, what: str, mmap: bool = False) -> dict[str, Any]:
    """Read a checkpoint from a local file, a URL or a model of a zoo; see :func:`read_checkpoint`."""
    if '://' not in path:
        return read_checkpoint(path, what, mmap)
    return _read(path, what, lambda: CheckpointLoader.load_checkpoint(path, map_location='cpu'))


def _read(path: str | Path, what: str, load: Any) -> dict[str, Any]:
    try:
        content = load()
    except Exception as error:  # of the network; torch raises half a dozen types for files that are not its own
        found = re.search(r'GLOBAL (\S+)', str(error))
        if found and not found[1].startswith(('torch', 'numpy', 'os', 'posix', 'builtins')):
            raise ValueError(
                f'{path}, {what}, holds a {found[1]} beside its weights, and {REFUSED}: where you trust it, save its '
                "weights alone, torch.save({'state_dict': weights}, FILE)."
            ) from error
        raise ValueError(
            f'{path}, {what}, cannot be read safely ({type(error).__name__}): {REFUSED}; give a whole file of '
            'torch.save, such as a checkpoint of MMEngine.'
        ) from error
    if not isinstance(content, Mapping):
        raise ValueError(f'{path}, {what}, holds a {type(content).__name__}: give a file with a state_dict.')
    return dict(content)


def tensors_of(path: str | Path, what: str, checkpoint: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the weights in a checkpoint: ``state_dict``, another usual name of it, or the tensors themselves.

    Raises:
        ValueError: If what is there are not tensors by name.
    """
    weights = next((checkpoint[key] for key in CONTAINERS if isinstance(checkpoint.get(key), Mapping)), checkpoint)
    weights = checkpoint.get('state_dict', weights)  # where MMEngine looks, whatever is beside it
    named = isinstance(weights, Mapping) and all(isinstance(key, str) for key in weights)
    if not named or not all(isinstance(value, Tensor) for value in weights.values()):
        raise ValueError(f'{path}, {what}, holds no tensors by name: give a file with a state_dict.')
    return dict(weights)


def plain_names(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Take away what wrappers put in front of names."""
    named = {}
    for name, value in weights.items():
        while name.startswith(WRAPPERS):
            name = name.partition('.')[2]
        named[name] = value
    return named


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


def check_sound(given: Mapping[str, Tensor], own: Mapping[str, Tensor], path: str, what: str) -> None:
    """Check that the weights of a file are finite numbers of the kind that the network has in their places.

    Raises:
        ValueError: If one is not, with the name of the first and how many there are.
    """
    faults = {name: fault for name, value in given.items() if name in own and (fault := fault_of(value, own[name]))}
    if faults:
        first, fault = next(iter(faults.items()))
        more = f' and {len(faults) - 1} more of its tensors' if len(faults) > 1 else ''
        raise ValueError(
            f'{path}, {what}, has {fault} in {first!r}{more}: training had diverged when it was written, or it was '
            'changed since. Give an earlier checkpoint, or a good copy.'
        )


def fault_of(value: Tensor, own: Tensor) -> str:
    """Describe what keeps a tensor from taking the place of a network's own one; '' if nothing does."""
    if value.layout is not torch.strided:
        return f'a tensor of {value.layout}'
    if own.is_floating_point() and not value.is_floating_point():
        return f'{value.dtype} for {own.dtype}'
    if not (value.is_floating_point() or value.is_complex()):
        return ''
    finite = torch.isfinite(value)
    if not finite.all() and own.shape == value.shape:  # the mask of an attention holds infinities of its own
        finite |= value == own.to(value.device, value.dtype)
    return '' if finite.all() else 'NaN or infinite numbers'


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
        """Count the weights that do not fit, and name the first of them."""
        name, there, here = self.misfits[0]
        first = f'{name} ({"missing" if there is None else f"{there} for {here}"})'
        fitting = sum(not name.endswith(COUNTER) for name in self.weights)
        return f'{len(self.misfits)} of {len(self.misfits) + fitting} tensors do not fit, first {first}'

    def log(self, path: str, what: str) -> None:
        """Log a table of what does not fit."""
        rows = [(name, there or 'missing', here) for name, there, here in self.misfits[:MOST_ROWS]]
        width = max(len(name) for name, _, _ in rows)
        table = '\n'.join(f'  {name:<{width}}  file {there!s:<18}  network {here}' for name, there, here in rows)
        rest = f'\n  and {len(self.misfits) - len(rows)} more' if len(self.misfits) > len(rows) else ''
        print_log(f'{path}, {what}: {self.describe()}.\n{table}{rest}', logger='current', level=logging.WARNING)

    def check(self, path: str, what: str, near: bool, remedy: str) -> None:
        """Log what does not fit, if anything, and refuse it if it is not ``near`` enough.

        Raises:
            ValueError: In that case.
        """
        if not self.is_complete:
            self.log(path, what)
        if not self.is_complete and not near:
            raise ValueError(f'{path}, {what}, is of another network: {self.describe()}; {remedy}.')


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
    fitting, total = (sum(column) for column in zip(*sizes.values(), strict=True)) if sizes else (0, 0)
    parts = {part: there / max(size, 1) for part, (there, size) in sizes.items()}
    return Fit(weights, misfits, 1 - fitting / max(total, 1), parts)


def way_in_for_backbones(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor], path: str) -> str:
    """Write how weights of a backbone alone are loaded; '' if a file holds something else."""
    backbone = {name.removeprefix('backbone.'): value for name, value in wanted.items() if name.startswith('backbone.')}
    for prefix in ('backbone.', ''):
        inner = {name.removeprefix(prefix): value for name, value in given.items() if name.startswith(prefix)}
        if backbone and fit(inner, backbone).lost <= MOST_LOST_AT_INIT:
            argument = f", prefix='{prefix}'" if prefix else ''
            return f"backbone=dict(init_cfg=dict(type='Pretrained', checkpoint='{path}'{argument}))"
    return ''

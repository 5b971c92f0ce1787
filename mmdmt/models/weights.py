"""Read weights from files without running code in them, and compare them with those of a network."""

import logging
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmengine.logging import print_log
from mmengine.runner import CheckpointLoader
from torch import Tensor

from mmdmt.integrity import is_whole, is_zip

CONTAINERS = ('state_dict', 'model_state_dict', 'model', 'ema_state_dict', 'state_dict_ema', 'model_ema', 'ema')
"""Where toolboxes put weights in their files; the first that is there counts."""
COUNTER = 'num_batches_tracked'
"""Old checkpoints of torch do not count batches, and what predicts does not need the number."""
AUXILIARY = 'auxiliary_head'
WRAPPERS = ('module.', '_orig_mod.')
"""What data-parallel and compiled networks put in front of every name."""
MOST_LOST = 0.01
MOST_NAMED = 10


def read_checkpoint(path: str | Path, what: str, mmap: bool = False) -> dict[str, Any]:
    """Read a checkpoint, ``what`` in error messages, onto the CPU: a file, a URL or a model of a zoo.

    With ``mmap`` the tensors of a file are read only when they are used.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged, no checkpoint, or holds anything but tensors and plain values.
    """
    is_url = '://' in str(path)
    if not is_url and not Path(path).is_file():
        raise FileNotFoundError(f'{path}, {what}, does not exist as a file: check the path.')
    if not is_url:
        with Path(path).open('rb') as file:
            if file.read(24).startswith(b'version https://git-lfs'):
                raise ValueError(f'{path}, {what}, is a pointer of Git LFS: run `git lfs pull` in its repository.')
    # What torch wrote before 1.6 has no checksums and cannot be mapped: these are zip files only since then.
    zipped = not is_url and is_zip(path)
    if zipped and not is_whole(Path(path)):
        raise ValueError(f'{path}, {what}, is damaged or incomplete by its checksums: give a good copy of it.')
    try:
        if is_url:
            content = CheckpointLoader.load_checkpoint(str(path), map_location='cpu')
        else:
            content = torch.load(path, map_location='cpu', weights_only=True, mmap=mmap and zipped)
    except Exception as error:  # of the network; torch raises half a dozen types for files that are not its own
        found = re.search(r'GLOBAL \S+', str(error))  # the class in it that is refused
        raise ValueError(
            f'{path}, {what}, cannot be read safely ({found[0] if found else type(error).__name__}): only tensors and '
            'plain values are read, because a pickle can run any code; give a whole file of torch.save, such as a '
            "checkpoint of MMEngine, or save the weights alone, torch.save({'state_dict': weights}, FILE)."
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


def plain_names(weights: Mapping[str, Tensor], peers: Collection[str] = ()) -> dict[str, Tensor]:
    """Take away what wrappers put in front of names, and behind the name of a peer."""
    named = {}
    for name, value in weights.items():
        peer, _, rest = _bare(name).partition('.')
        named[f'{peer}.{_bare(rest)}' if peer in peers else _bare(name)] = value
    return named


def _bare(name: str) -> str:
    while name.startswith(WRAPPERS):
        name = name.partition('.')[2]
    return name


def check_sound(given: Mapping[str, Tensor], own: Mapping[str, Tensor], path: str, what: str) -> None:
    """Check that the weights of a file that a network has, too, are finite numbers.

    Raises:
        ValueError: If one is not, with the name of the first and how many there are.
    """
    faults = [name for name, value in given.items() if name in own and not _is_finite(value, own[name])]
    if faults:
        more = f' and {len(faults) - 1} more of its tensors' if len(faults) > 1 else ''
        raise ValueError(
            f'{path}, {what}, has NaN or infinite numbers in {faults[0]!r}{more}: training had diverged when it was '
            'written, or it was changed since. Give an earlier checkpoint, or a good copy.'
        )


def _is_finite(value: Tensor, own: Tensor) -> bool:
    finite = torch.isfinite(value)
    if not finite.all() and own.shape == value.shape:  # the mask of an attention holds infinities of its own
        finite |= value == own.to(value.device, value.dtype)
    return bool(finite.all())


class Fit(NamedTuple):
    """What of a file fits a network.

    Attributes:
        weights: Those that fit, by the network's names, counters of batches included.
        misfits: The network's other weights: name, shape in the file (None if missing there), shape in the network.
        lost: The share of the network's weights that does not fit, by their number of elements; an auxiliary head that
            the file lacks altogether does not count.
        is_near: Whether nearly all weights fit, and at least half of those of each part (``backbone``,
            ``decode_head``) but the auxiliary head.
    """

    weights: dict[str, Tensor]
    misfits: list[tuple[str, tuple[int, ...] | None, tuple[int, ...]]]
    lost: float
    is_near: bool

    def describe(self) -> str:
        """Count the weights that do not fit, and name the first of them."""
        fitting = sum(not name.endswith(COUNTER) for name in self.weights)
        named = [
            f'{name} ({"missing" if there is None else f"{there} for {here}"})' for name, there, here in self.misfits
        ]
        more = ', ...' if len(named) > MOST_NAMED else ''
        return f'{len(named)} of {len(named) + fitting} tensors do not fit: {", ".join(named[:MOST_NAMED])}{more}'

    def check(self, path: str, what: str, enough: bool, remedy: str) -> None:
        """Refuse what does not fit, or log it where what fits is ``enough``.

        Raises:
            ValueError: If it is not.
        """
        if self.misfits and not enough:
            raise ValueError(f'{path}, {what}, is of another network: {self.describe()}; {remedy}.')
        if self.misfits:
            print_log(f'{path}, {what}: {self.describe()}.', logger='current', level=logging.WARNING)


def fit(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> Fit:
    """Compare the weights of a file with those of a network."""
    fits = {name for name, value in wanted.items() if name in given and given[name].shape == value.shape}
    misfits: list[tuple[str, tuple[int, ...] | None, tuple[int, ...]]] = []
    sizes: dict[str, list[int]] = {}  # of each part: elements that fit, and all
    for name, value in wanted.items():
        if name.endswith(COUNTER):
            continue
        of_part = sizes.setdefault(name.partition('.')[0], [0, 0])
        of_part[0] += value.numel() if name in fits else 0
        of_part[1] += value.numel()
        if name not in fits:
            misfits.append((name, tuple(given[name].shape) if name in given else None, tuple(value.shape)))
    auxiliary = sizes.pop(AUXILIARY, [0, 0])
    halves = all(2 * there >= size for there, size in sizes.values())
    if any(name.startswith(f'{AUXILIARY}.') for name in given):
        sizes[AUXILIARY] = auxiliary
    fitting, total = (sum(size[place] for size in sizes.values()) for place in (0, 1))
    lost = 1 - fitting / max(total, 1)
    return Fit({name: given[name] for name in wanted if name in fits}, misfits, lost, halves and lost <= MOST_LOST)

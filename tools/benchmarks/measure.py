"""Measure times side by side, and memory by the tensors that are alive."""

import statistics
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


@dataclass(frozen=True)
class Row:
    """One line of the benchmark's table.

    Args:
        name: What is measured.
        samples: One value for each repeat, or the only one where repeats cannot differ.
        target: What the median is to reach; None where it is only reported.
        better: ``'higher'`` or ``'lower'``.
    """

    name: str
    samples: Sequence[float] = field(repr=False)
    target: float | None
    better: str = 'lower'

    @property
    def value(self) -> float:
        """The median over the repeats."""
        return statistics.median(self.samples)

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None without one."""
        if self.target is None:
            return None
        return self.value >= self.target if self.better == 'higher' else self.value <= self.target

    def as_dict(self) -> dict[str, Any]:
        """Return the row for ``results.json``."""
        return {
            'name': self.name,
            'value': self.value,
            'target': self.target,
            'better': self.better,
            'met': self.met,
            'repeats': len(self.samples),
            'spread': [min(self.samples), max(self.samples)],
        }


Times = Mapping[str, Sequence[float]]


def interleaved(functions: Mapping[str, Callable[[], Any]], repeats: int) -> Times:
    """Time functions in turn, each called once before, so that what else the machine does hits all of them alike."""
    for function in functions.values():
        function()
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(repeats):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            times[name].append(time.perf_counter() - start)
    return times


def ratios(times: Times, above: str, below: str) -> list[float]:
    """Divide two functions' times, round by round."""
    return [a / b for a, b in zip(times[above], times[below], strict=True)]


class LiveBytes(TorchDispatchMode):
    """Count the bytes of the tensors that operations make inside the context, while they are alive.

    What an operator allocates for itself and frees before it returns is not seen. The count depends on the code alone,
    not on the allocator, so every run gives the same.
    """

    def __init__(self) -> None:
        super().__init__()
        self.live = self.peak = 0
        self._seen: dict[int, weakref.ref] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None) -> Any:
        known = {_storage_key(leaf) for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)}
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor) and _storage_key(leaf) not in known:
                self._watch(leaf.untyped_storage())
        return result

    def _watch(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._seen:
            return

        def freed(_: weakref.ref) -> None:
            self.live -= size
            del self._seen[key]

        self._seen[key] = weakref.ref(storage, freed)
        self.live += size
        self.peak = max(self.peak, self.live)


def _storage_key(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata


def peak_bytes(function: Callable[[], Any]) -> int:
    """Return the most bytes of new tensors that are alive at a time while a function runs."""
    with LiveBytes() as counted:
        function()
    return counted.peak

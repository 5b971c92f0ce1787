"""Measure times side by side, and memory by the tensors that are alive."""

import time
import weakref
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

#: What a measurement returns: for each row of the table a value for each repeat, or one where repeats cannot differ.
Rows = dict[str, list[float]]
Times = Mapping[Hashable, Sequence[float]]


def interleaved(functions: Mapping[Any, Callable[[], Any]], repeats: int) -> Times:
    """Time functions in turn, each called once before, so that what else the machine does hits all of them alike."""
    for function in functions.values():
        function()
    times: dict[Hashable, list[float]] = {name: [] for name in functions}
    for _ in range(repeats):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            times[name].append(time.perf_counter() - start)
    return times


def ratios(times: Times, above: Hashable, below: Hashable) -> list[float]:
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

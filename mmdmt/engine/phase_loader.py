"""Read batches from a data loader that starts anew with each phase."""

from collections.abc import Iterator
from typing import Any

from torch.utils.data import DataLoader


class PhaseLoader:
    """Read batches from a data loader that ends with each phase.

    It takes the place of the iterator that MMEngine's ``IterBasedTrainLoop`` holds, for two reasons: that one would
    read every past batch again when a run is resumed, and sleep two seconds whenever a phase has ended.

    Args:
        dataloader (DataLoader): With a :class:`mmdmt.MutualBatchSampler`, which decides where the batches start.
        skipped (int): How many batches the loop will throw away first, to get to where it resumes: its own iteration.
            They are not read.
    """

    def __init__(self, dataloader: DataLoader[Any], skipped: int) -> None:
        self._dataloader = dataloader
        self._skipped = skipped
        self._iterator: Iterator[Any] | None = None

    def restart(self) -> None:
        """Forget what was drawn ahead; the next batch is the sampler's first."""
        self._iterator = None

    def skip_iter(self, num_iters: int) -> None:
        """Skip past batches at once, as OneDL's training loop does when a run is resumed."""
        self._skipped = max(0, self._skipped - num_iters)

    def __iter__(self) -> 'PhaseLoader':
        """Return itself."""
        return self

    def __next__(self) -> Any:
        """Return the next batch, or None while the loop skips."""
        if self._skipped:
            self._skipped -= 1
            return None
        if self._iterator is None:
            self._iterator = iter(self._dataloader)
        return next(self._iterator)

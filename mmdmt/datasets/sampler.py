"""The batch sampler, which draws for all peers at once."""

from collections.abc import Iterator
from typing import Any

from mmengine.dist import get_dist_info

from mmdmt.method.draws import Draw, DrawPlan
from mmdmt.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class MutualBatchSampler:
    """Draw each batch for all peers at once, as the present phase composes it; the ``batch_sampler`` of training.

    :class:`mmdmt.DMTHook` gives it the plan of each phase; before that it is empty.

    Args:
        sampler (Sampler): Kept where MMEngine's hooks look for it, and otherwise unused.
        batch_size (int): Images of each peer in a batch; every phase must compose as many.
    """

    def __init__(self, sampler: Any, batch_size: int) -> None:
        self.sampler = sampler
        self.batch_size = batch_size
        self.rank, self.world_size = get_dist_info()
        self._plan: DrawPlan | None = None
        self._iteration = 0
        self._starts = 0

    def start(self, plan: DrawPlan, iteration: int) -> None:
        """Draw by a plan, from an iteration on."""
        self._plan, self._iteration = plan, iteration

    def __iter__(self) -> Iterator[list[Draw]]:
        """Yield the batches up to the phase's end.

        Raises:
            RuntimeError: If batches are wanted, but no DMTHook says of what.
        """
        plan = self._plan
        self._starts += plan is None
        if self._starts > 1:  # a loop starts once before the hook, and again only where there is none
            raise RuntimeError(
                'mmdmt.MutualBatchSampler has no phase to draw for: add custom_hooks=[dict(type='
                "'mmdmt.DMTHook', phases=[...])]."
            )
        if plan is not None:
            for iteration in range(self._iteration, plan.stop):
                yield plan.batch(iteration, self.rank, self.world_size)

    def __len__(self) -> int:
        """Return how many batches the phase has from the starting iteration on."""
        return self._plan.stop - self._iteration if self._plan else 0

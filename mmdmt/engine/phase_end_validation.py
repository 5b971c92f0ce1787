"""Decide whether the training loop validates at the ends of phases, whatever its interval."""

from bisect import bisect
from collections.abc import Sequence

from mmengine.runner import IterBasedTrainLoop


def plan_phase_ends(loop: IterBasedTrainLoop, ends: Sequence[int], due: bool) -> None:
    """Let a loop validate at every phase end, or at none; in between it validates as before."""
    inner = set(ends[:-1])
    milestones, intervals = list(loop.dynamic_milestones), list(loop.dynamic_intervals)

    def interval(iteration: int) -> int:
        """Return the interval that holds after so many iterations."""
        if iteration in inner:
            return iteration if due else iteration + 1
        found: int = intervals[bisect(milestones, iteration + 1) - 1]
        return found

    # MMEngine counts a milestone from the iteration before it.
    points = sorted({*milestones, *(end + 1 for end in inner), *(end + 2 for end in inner)})
    loop.dynamic_milestones = points
    loop.dynamic_intervals = [interval(point - 1) for point in points]


def validates_at(loop: IterBasedTrainLoop, iteration: int) -> bool:
    """Whether a loop with a validation runs it after so many iterations."""
    interval = loop.dynamic_intervals[bisect(loop.dynamic_milestones, iteration + 1) - 1]
    due = iteration % interval == 0 or iteration == loop.max_iters
    return iteration >= loop.val_begin and due

"""Loop over the iterations of all phases: how long, from which batch on, and when to validate."""

from bisect import bisect
from collections.abc import Iterator, Sequence
from typing import Any

from mmengine.runner import IterBasedTrainLoop, Runner
from torch.utils.data import DataLoader

from mmdmt.engine.run_record import best_checkpoint_alone
from mmdmt.registry import LOOPS


@LOOPS.register_module()
class PhaseTrainLoop(IterBasedTrainLoop):
    """An ``IterBasedTrainLoop`` whose length is that of the phases of :class:`DMTHook`.

    A config with it names no length: ``train_cfg = dict(type='mmdmt.PhaseTrainLoop', val_interval=500)``.

    Args:
        runner (Runner): Of the run, with the hook.
        dataloader (DataLoader | dict): As of ``IterBasedTrainLoop``.
        max_iters (int, optional): The length of the run; if given, it must be the sum of the phases. Defaults to None.
        val_begin (int): The iteration from which on the run is validated. Defaults to 1.
        val_interval (int): Iterations from one validation to the next. Defaults to 1000.
        phase_val_interval (int, optional): The same, after the warm-up. Defaults to None, ``val_interval``.
        dynamic_intervals (Sequence[tuple[int, int]], optional): As of ``IterBasedTrainLoop``, in place of
            ``phase_val_interval``. Defaults to None.

    Raises:
        ValueError: If the run has no such hook.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: Any,
        max_iters: int | None = None,
        val_begin: int = 1,
        val_interval: int = 1000,
        phase_val_interval: int | None = None,
        dynamic_intervals: Sequence[tuple[int, int]] | None = None,
    ) -> None:
        curriculum = next((hook.curriculum for hook in runner.hooks if hasattr(hook, 'curriculum')), None)
        if curriculum is None:
            raise ValueError(
                'train_cfg has a PhaseTrainLoop, which is as long as the phases of mmdmt.DMTHook, but custom_hooks has '
                "none: add one, or set train_cfg=dict(type='IterBasedTrainLoop', max_iters=...)."
            )
        if phase_val_interval is not None:
            if dynamic_intervals is not None:
                raise ValueError(
                    f'phase_val_interval={phase_val_interval} and dynamic_intervals={list(dynamic_intervals)} of '
                    'train_cfg exclude each other: give one of them.'
                )
            dynamic_intervals = [(curriculum.warm_up, phase_val_interval)]
        length = curriculum.total_iters if max_iters is None else max_iters
        super().__init__(runner, dataloader, length, val_begin, val_interval, dynamic_intervals)


class PhaseLoader:
    """Read batches from a data loader that ends with each phase.

    It replaces the iterator of MMEngine's ``IterBasedTrainLoop``, which reads every past batch again when a run is
    resumed, and sleeps two seconds whenever a phase has ended.

    Args:
        dataloader (DataLoader): With a :class:`mmdmt.MutualBatchSampler`, which decides where the batches start.
        skipped (int): How many batches the loop throws away first, to get to where it resumes; they are not read.
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


def plan_phase_ends(loop: IterBasedTrainLoop, ends: Sequence[int], due: bool) -> None:
    """Set a loop to validate at every phase end, or at none; in between it validates as before."""
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


def validate_now(runner: Runner, iteration: int) -> None:
    """Validate in the hooks after an iteration, which MMEngine counts only after them, if the run has a validation."""
    loop = runner.train_loop
    if runner.val_loop is not None:
        with best_checkpoint_alone(runner.hooks):
            loop._iter, before = iteration, loop._iter
            runner.val_loop.run()
            loop._iter = before


def validates_at(loop: IterBasedTrainLoop, iteration: int) -> bool:
    """Whether a loop with a validation runs it after so many iterations."""
    interval = loop.dynamic_intervals[bisect(loop.dynamic_milestones, iteration + 1) - 1]
    return iteration >= loop.val_begin and (iteration % interval == 0 or iteration == loop.max_iters)

"""Train for as many iterations as the phases of a run have."""

from collections.abc import Sequence
from typing import Any

from mmengine.runner import IterBasedTrainLoop, Runner

from mmdmt.engine.dmt_hook import DMTHook
from mmdmt.registry import LOOPS


@LOOPS.register_module()
class PhaseTrainLoop(IterBasedTrainLoop):
    """An ``IterBasedTrainLoop`` whose length is that of the phases of :class:`DMTHook`.

    Args:
        runner (Runner): Of the run, with the hook.
        dataloader (DataLoader | dict): As of ``IterBasedTrainLoop``.
        max_iters (int, optional): The length of the run, where a config says it all the same; it must be the sum of the
            phases. Defaults to None.
        val_begin (int): The iteration from which on the run is validated. Defaults to 1.
        val_interval (int): Iterations from one validation to the next. Defaults to 1000.
        phase_val_interval (int, optional): The same, after the warm-up. Defaults to None, ``val_interval``.
        dynamic_intervals (Sequence[tuple[int, int]], optional): As of ``IterBasedTrainLoop``, in place of
            ``phase_val_interval``. Defaults to None.

    Raises:
        ValueError: If the run has no such hook.

    Examples:
        A config with it names no length: ``train_cfg = dict(type='mmdmt.PhaseTrainLoop', val_interval=500)``.
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
        curriculum = next((hook.curriculum for hook in runner.hooks if isinstance(hook, DMTHook)), None)
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

"""End a run cleanly, also at Ctrl-C and SIGTERM, and stop one whose loss stays NaN or infinite."""

import atexit
import gc
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import get_world_size, is_main_process
from mmengine.runner import Runner
from torch import Tensor, distributed

from mmdmt.engine.peers_of_run import Averages
from mmdmt.engine.run_record import POINTER, checkpoint_hook, save_checkpoint
from mmdmt.stop_signal import SIGNAL, LeaveSignals

GRACE = 30.0
"""Seconds for which the other processes of a run wait for the one that writes the checkpoint."""

ONE_EVENT = 3.0
"""Seconds in which a process of several takes signals for one."""


class CleanStop:
    """End a run at SIGINT and SIGTERM with a sentence in place of a stack trace, and exit code 128 + signal.

    A run ends after an iteration, a validated image or a batch that is labeled. A checkpoint of the iterations done is
    written first, where they can be resumed from: not while a phase gives way to the next.
    """

    def __init__(self) -> None:
        self.done = 0
        """How many iterations are done: MMEngine counts one only after the hooks that follow it."""
        self.lock: int | None = None
        """That of the work_dir, to be given back when the run has ended."""
        self._started_at = 0
        self._runner: Runner | None = None
        self._changes_phase = False

    def guard(self, runner: Runner) -> None:
        """Defer signals while the training loop of a run is at work; they are given back however it ends."""
        loop = runner.train_loop
        run = loop.run

        def run_guarded() -> Any:
            self._runner = runner
            try:
                with SIGNAL.deferred(self._end, ONE_EVENT if get_world_size() > 1 else 0.0):
                    return run()
            finally:
                self._runner = None
                if self.lock is not None:
                    os.close(self.lock)
                    self.lock = None

        loop.run = run_guarded

    def start(self, runner: Runner) -> None:
        """Note how many iterations are done when the run starts: they need not be saved; data workers leave signals."""
        self.done = self._started_at = runner.train_loop.iter
        for loop in filter(None, (runner.train_loop, runner.val_loop)):
            loop.dataloader.worker_init_fn = LeaveSignals(loop.dataloader.worker_init_fn)

    @contextmanager
    def phase_changes(self) -> Iterator[None]:
        """Keep signals from ending a validation in the block: what it decides has to be in the next checkpoint."""
        self._changes_phase = True
        try:
            yield
        finally:
            self._changes_phase = False

    def end_after_iteration(self) -> None:
        """End the run if a signal has come, saving the iterations done first."""
        if SIGNAL.number is not None:
            self._save()
        SIGNAL.end_if_pending()

    def end_amid_validation(self) -> None:
        """Do the same after a validated image, when the peers hold averaged weights."""
        if SIGNAL.number is None or self._runner is None or self._changes_phase:
            return
        with Averages(self._runner.hooks).in_place():  # the peers' own come back
            self._save()
        SIGNAL.end_if_pending()

    def _save(self) -> None:
        hook = checkpoint_hook(self._runner.hooks) if self._runner is not None else None
        if hook is None or not is_main_process() or self.done == self._started_at:
            return
        if Path(str(hook.last_ckpt)).name != hook.filename_tmpl.format(self.done):
            save_checkpoint(self._runner, self.done)

    def _end(self, number: int) -> None:
        runner = self._runner
        if not is_main_process():
            time.sleep(GRACE)  # the launcher ends this process when the main one has written the checkpoint
        elif runner is not None:
            pointer = Path(runner.work_dir) / POINTER
            remedy = (
                f'--resume goes on from {pointer.read_text(errors="replace").strip()}'
                if pointer.is_file()
                else 'no checkpoint has been written, so that it starts anew'
            )
            runner.logger.warning(f'{signal.Signals(number).name} ends the run at iteration {self.done}: {remedy}.')
        raise SystemExit(128 + number)


class LossWatch:
    """Stop a run whose loss has been NaN or infinite for many iterations in a row.

    One such iteration may pass: a gradient scaler skips its update. The count is looked at every ``limit`` iterations,
    so that a GPU is not waited for.

    Args:
        limit (int): How many are too many; 0 lets all pass.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._streak = torch.tensor(0)

    def see(self, iteration: int, losses: Mapping[str, Tensor]) -> None:
        """Look at the losses of an iteration, numbered from 0; ``loss`` is their sum over all peers.

        Raises:
            RuntimeError: If these were too many.
        """
        if not self.limit:
            return
        loss = losses['loss'].detach()
        self._streak = torch.where(loss.isfinite(), 0, self._streak.to(loss.device) + 1)
        if (iteration + 1) % self.limit:
            return
        streak = int(self._streak)
        if streak >= self.limit:
            first = iteration + 1 - streak
            broken = sorted(key for key, value in losses.items() if not value.isfinite() and key != 'loss')
            raise RuntimeError(
                f'The loss has been NaN or infinite for {streak} iterations, from iteration {first} on '
                f'({", ".join(broken)}): lower the learning rate, clip gradients (optim_wrapper.clip_grad=dict('
                'max_norm=...)) or train without --amp, and start from a checkpoint written well before iteration '
                f'{first}.'
            )


def leave_group_at_exit() -> None:
    """Destroy the process group when this process ends; call it only once a run has ended well.

    Otherwise some runs end in "terminate called without an active exception": a thread of gloo may let its last message
    go while Python is shutting down (https://github.com/pytorch/pytorch/issues/190489). After an error the group would
    wait for messages that nobody sends.
    """
    atexit.unregister(_leave_group)
    atexit.register(_leave_group)


def _leave_group() -> None:
    gc.collect()  # a runner is full of cycles, and its model wrapper holds on to the group
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()

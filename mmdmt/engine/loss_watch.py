"""Stop a run whose loss stays NaN or infinite."""

from collections.abc import Mapping

import torch
from torch import Tensor


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

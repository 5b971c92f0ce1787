"""The weighted cross entropy and its gradient, from one softmax."""

from typing import Any

import torch
from torch import Tensor

from mmdmt.method.weights import Comparison

TINY = torch.finfo(torch.float32).tiny


class WeightedCrossEntropy(torch.autograd.Function):
    """``sum(weight * cross_entropy)`` from the softmax that the weights were made of.

    The softmax is taken once, for weights, loss and gradient alike, and is all that is kept of the size of the logits.
    The gradient is made in its place, so a graph can be gone back through once; torch refuses a second time.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, compared: Comparison, weights: Tensor) -> Tensor:
        """Sum over all labels; an entropy beyond 87 counts as 87 (its gradient is exact all the same)."""
        ctx.save_for_backward(compared.probability, compared.label_index, weights)
        ctx.dtype = logits.dtype
        return -compared.label_probability.clamp(min=TINY).log_().mul_(weights).sum()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        """Return ``weight * (p - onehot(y))`` for the logits."""
        probability, label_index, weights = ctx.saved_tensors
        scaled = (weights * gradient).unsqueeze(1)
        of_logits = probability.mul_(scaled).scatter_add_(1, label_index.unsqueeze(1), scaled.neg_())
        return of_logits.to(ctx.dtype), None, None

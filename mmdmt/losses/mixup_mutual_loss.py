"""The loss of Dynamic Mutual Training for image classification, with mixup."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mmdmt.losses.dynamic_mutual_loss import DynamicMutualLoss
from mmdmt.method.weights import Comparison
from mmdmt.registry import MODELS
from mmdmt.settings import Number, check_settings

NO_LABEL = -100
"""A label that no image has: 255 is a class of ImageNet."""


@dataclass(frozen=True)
class Mixture:
    """Images of a batch, each mixed with another one of it.

    Args:
        share: Of the image itself, in [0.5, 1]; it stays the greater part, so that its weight is mostly its own.
        partners: int64 (N,); the number of the other image.
    """

    share: float
    partners: Tensor

    @classmethod
    def draw(cls, size: int, alpha: float, device: torch.device) -> 'Mixture':
        """Draw a mixture: ``share = max(l, 1 - l)`` with ``l`` from Beta(alpha, alpha).

        Args:
            size (int): Images in the batch.
            alpha (float): Of the beta distribution, > 0.
            device (torch.device): Of the batch.
        """
        share = float(np.random.beta(alpha, alpha))
        return cls(max(share, 1 - share), torch.randperm(size).to(device))

    def __call__(self, batch: Tensor) -> Tensor:
        """Mix what has a row for each image."""
        return self.share * batch + (1 - self.share) * batch[self.partners]


@MODELS.register_module()
class MixupMutualLoss(DynamicMutualLoss):
    """Cross entropy of mixed images, in which a pseudo label counts as far as the learner agrees with it.

    ``mean(weight * (share * CE(y) + (1 - share) * CE(y of the partner)))`` over the images of a batch. The weights are
    those of the *unmixed* images, from a forward pass without gradient, mixed in the same shares as the images; so are
    the factors of two means, with a ``pseudo_weight``.

    Args:
        gamma_agree (float): As of :class:`mmdmt.DynamicMutualLoss`. Defaults to 4.
        gamma_disagree (float): Likewise. Defaults to 4.
        mixup_alpha (float, optional): Of the beta distribution of the shares. None mixes nothing: the weights are
            those of the same forward pass, and labels of phases with pseudo labels get the plain
            :class:`mmdmt.DynamicMutualLoss`. Defaults to 0.75.
        ramp (float): Steepness with which the exponents grow during a phase. Defaults to 5.
        **kwargs: Other arguments of :class:`mmdmt.DynamicMutualLoss`.

    Raises:
        ValueError: If ``mixup_alpha`` is not above 0.
    """

    SETTINGS = {**DynamicMutualLoss.SETTINGS, 'mixup_alpha': Number(0, above=True, optional=True)}

    def __init__(
        self,
        gamma_agree: float = 4.0,
        gamma_disagree: float = 4.0,
        mixup_alpha: float | None = 0.75,
        ramp: float = 5.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(gamma_agree, gamma_disagree, ramp=ramp, **kwargs)
        check_settings(self, locals())
        self.mixup_alpha = mixup_alpha
        self.accuracy: Tensor | None = None
        self._mixed: tuple[Tensor, Tensor, Mixture] | None = None

    @contextmanager
    def mixed_targets(self, label: Tensor, weights: Tensor, mixture: Mixture) -> Iterator[None]:
        """Say, until the context ends, what the mixed images of the coming call show.

        Args:
            label (Tensor): (N,) integer labels of the unmixed images.
            weights (Tensor): (N,) float32 weights of these.
            mixture (Mixture): How they are mixed.
        """
        self._mixed = label, weights, mixture
        try:
            yield
        finally:
            self._mixed = None

    def to_mix(self, weights: Tensor, confidence: Tensor) -> Tensor:
        """Return the weights that are mixed, of which the loss is the mean over all images.

        Args:
            weights (Tensor): (N,) float32, by the rule.
            confidence (Tensor): (N,) float32, ``inf`` for ground truth.
        """
        if 'weight' not in self.counts:  # they were found elsewhere, without a prediction of these images
            self.counts = {'pixels': torch.ones_like(weights).sum(), 'weight': weights.sum()}
            self.accuracy = None
        if self.pseudo_weight is not None:
            weights = weights * len(weights) * self.of_sides(confidence, torch.ones_like(weights))
        self.count_share(weights, confidence)
        return weights

    def forward(
        self, logits: Tensor, label: Tensor, weight: Tensor | None = None, ignore_index: int = NO_LABEL, **kwargs: Any
    ) -> Tensor:
        """Compute the loss; outside of contexts the plain cross entropy.

        Where labels are classes the call leaves the learner's ``accuracy`` on them behind, a scalar tensor in percent;
        of mixed images it is that of the unmixed ones, from :meth:`weigh`.

        Args:
            logits (Tensor): (N, C).
            label (Tensor): (N,) integer labels, or (N, C) float32 scores, as batch augmentations make them. Not used
                inside ``mixed_targets``.
            weight (Tensor, optional): Further weights. Defaults to None.
            ignore_index (int): The label that does not count. Defaults to -100, none.
            **kwargs: MMPretrain hands losses more than one of them needs (``avg_factor``).

        Returns:
            Tensor: The scalar loss.
        """
        if self._mixed is not None:
            label, weights, mixture = self._mixed
            entropy = -logits.float().log_softmax(dim=1)
            own, partners = (
                entropy.gather(1, target.unsqueeze(1)).squeeze(1) for target in (label, label[mixture.partners])
            )
            mixed = mixture.share * own + (1 - mixture.share) * partners
            return self.loss_weight * (mixture(weights) * mixed).mean()
        self.accuracy = None if label.is_floating_point() else _accuracy(logits, label)
        if label.is_floating_point():
            return self.loss_weight * F.cross_entropy(logits, label)
        return super().forward(logits, label, weight, ignore_index, **kwargs)

    def weigh(
        self, logits: Tensor, label: Tensor, confidence: Tensor, ignore_index: int = NO_LABEL
    ) -> tuple[Comparison, Tensor]:
        """Weigh labels by the rule, and leave ``counts`` and ``accuracy`` behind.

        Args:
            logits (Tensor): (N, C).
            label (Tensor): (N,) integer labels.
            confidence (Tensor): (N,) float32, ``inf`` for ground truth.
            ignore_index (int): The label that does not count. Defaults to -100, none.

        Returns:
            tuple[Comparison, Tensor]: As of :meth:`mmdmt.DynamicMutualLoss.weigh`.
        """
        self.accuracy = _accuracy(logits, label)
        return super().weigh(logits, label, confidence, ignore_index)


def _accuracy(logits: Tensor, label: Tensor) -> Tensor:
    return 100 * (logits.detach().argmax(dim=1) == label).float().mean()

"""MixUp of whole images: each is blended with another one of its batch."""

from collections.abc import Sequence

import numpy as np
import torch

from mmdmt.method.mixing import Batch, blend
from mmdmt.registry import MODELS
from mmdmt.settings import Number, check_settings


@MODELS.register_module()
class MixUp:
    """Blend every image of the same peer's batch, labeled or not, with another one, in one share for all.

    The share of an image itself is ``max(l, 1 - l)`` with ``l`` from Beta(alpha, alpha): it stays the greater part, so
    that its weight is mostly its own. Zhang et al., "mixup", ICLR 2018, arXiv 1710.09412; the share as in MixMatch,
    arXiv 1905.02249.

    Args:
        alpha (float): Of the beta distribution, > 0. Defaults to 0.75, the paper's for CIFAR-10.

    Raises:
        ValueError: If it is not above 0.
    """

    spaces = ('images',)
    needs_pseudo, needs_labeled = 0, 0
    SETTINGS = {'alpha': Number(0, above=True)}

    def __init__(self, alpha: float = 0.75) -> None:
        check_settings(self, locals())
        self.alpha = alpha

    def __call__(self, batch: Batch, pseudo: Sequence[int], labeled: Sequence[int], num_classes: int) -> Batch:
        """Mix a batch, see :class:`~mmdmt.mixes.mix.Mix`."""
        share = float(np.random.beta(self.alpha, self.alpha))
        partners = torch.randperm(len(batch.inputs)).to(batch.inputs.device)
        return blend(batch, max(share, 1 - share), partners)

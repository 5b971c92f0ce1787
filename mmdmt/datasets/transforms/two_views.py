"""The place in a pipeline where what the labeler sees and what the learner sees part."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.dataset import Compose

from mmdmt.method.draws import ONLINE, WEAK_VIEW
from mmdmt.registry import TRANSFORMS
from mmdmt.rules.known_transforms import moves_pixels
from mmdmt.rules.seeding import seeded

VIEW_SEED = 'view_seed'
"""Key of the seed of a learner's view, where it does not go on from that of the crop."""


@TRANSFORMS.register_module()
class TwoViews(BaseTransform):
    """Show the learner a stronger view of an unlabeled image than its labeler; only packing may follow.

    What stands before it in the pipeline is shared by both views. What it holds acts on the learner's image alone;
    where pixels have labels it may change colors but must not move pixels. Transforms of the toolboxes are known by
    name, and ``keeps_pixels=True`` in its config vouches for one of your own.

    Required keys: ``img``. Added keys: ``weak_view``, the image before its change, if its labels are made online.

    Args:
        learner (Sequence[dict]): Transforms of the learner's image, such as ``PhotoMetricDistortion``.

    Raises:
        ValueError: If there is none.
    """

    def __init__(self, learner: Sequence[dict[str, Any]]) -> None:
        if not learner:
            raise ValueError('TwoViews holds no transform, so both views would be one: give learner=[dict(type=...)].')
        self.moves = moves_pixels(learner)
        """The first transform that may move pixels; '' if none does."""
        self.learner = Compose(_without_vouchers(learner))

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Change the learner's view."""
        if results.get(ONLINE):
            image = np.atleast_3d(results['img']).transpose(2, 0, 1)
            results[WEAK_VIEW] = torch.from_numpy(np.ascontiguousarray(image).copy())
        with seeded(results[VIEW_SEED]) if VIEW_SEED in results else nullcontext():
            changed: dict[str, Any] = self.learner(results)
        return changed


def _without_vouchers(config: Any) -> Any:
    """Copy configs of transforms without what vouches for them."""
    if isinstance(config, Mapping):
        return {key: _without_vouchers(value) for key, value in config.items() if key != 'keeps_pixels'}
    return list(map(_without_vouchers, config)) if isinstance(config, (list, tuple)) else config

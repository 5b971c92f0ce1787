"""The place in a pipeline where what the labeler sees and what the learner sees part."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.dataset import Compose
from numpy.typing import NDArray

from mmdmt.method.draws import ONLINE, WEAK_VIEW
from mmdmt.registry import TRANSFORMS


@TRANSFORMS.register_module()
class TwoViews(BaseTransform):
    """Let the learner see a stronger view of an unlabeled image than its labeler.

    What stands before it in the pipeline is shared by both views. What it holds acts on the learner's image alone;
    where pixels have labels it may change colors but must not move pixels, which is checked. Where labels are made
    online, the image as it stands here is what the labeler labels; where they come from a bank, it is dropped. Only
    packing may follow.

    Required keys: ``img``. Added keys: ``weak_view``, a view of the image before its change, if the labels of the image
    are made online.

    Args:
        learner (Sequence[dict]): Transforms of the learner's image, such as ``PhotoMetricDistortion``.

    Raises:
        ValueError: If there is none.
    """

    def __init__(self, learner: Sequence[dict[str, Any]]) -> None:
        if not learner:
            raise ValueError('TwoViews holds no transform, so both views would be one: give learner=[dict(type=...)].')
        self.learner = Compose(list(learner))

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Change the learner's view."""
        if results.get(ONLINE):
            image = np.atleast_3d(results['img']).transpose(2, 0, 1)
            results[WEAK_VIEW] = torch.from_numpy(np.ascontiguousarray(image).copy())
        changed: dict[str, Any] = self.learner(results)
        return changed

    def __repr__(self) -> str:
        """Show the transforms."""
        return f'{type(self).__name__}(learner={self.learner})'

    def check_pixels_stay(self) -> None:
        """Check that the learner's transforms change colors only.

        Raises:
            ValueError: If one of them moves pixels.
        """
        for transform in self.learner.transforms:
            check_pixels_stay(transform)


def check_pixels_stay(transform: Any, tries: int = 16) -> None:
    """Check that a transform changes colors only.

    A texture of random blocks goes through it some times: colors may change, even be inverted or blurred, but the
    quarters of the image must be most alike where they were, and not a pixel or two beside it.

    Args:
        transform (Callable): Of a pipeline.
        tries (int): How often. Defaults to 16.

    Raises:
        ValueError: If it moves pixels, changes the size, or moves a label map.
    """
    generator = np.random.default_rng(0)
    colors = generator.integers(0, 256, (16, 3)).astype(np.uint8)
    blocks = colors[generator.permutation(64) % 16].reshape(8, 8, 3)  # each color in four places
    texture = np.repeat(np.repeat(blocks, 8, axis=0), 8, axis=1)
    label = generator.integers(0, 5, texture.shape[:2]).astype(np.uint8)
    for _ in range(tries):
        results = {'img': texture.copy(), 'gt_seg_map': label.copy(), 'seg_fields': ['gt_seg_map']}
        results.update(img_shape=texture.shape[:2], ori_shape=texture.shape[:2])
        moved = transform(results)
        if moved is None or moved['img'].shape[:2] != texture.shape[:2]:
            raise _refusal(transform, 'changes the size of the image')
        if not np.array_equal(moved['gt_seg_map'], label) or not _alike(moved['img'], texture):
            raise _refusal(transform, 'moves pixels')


SHIFTS = [(rows, columns) for rows in range(-2, 3) for columns in range(-2, 3)]


def _alike(image: NDArray[Any], texture: NDArray[np.uint8]) -> bool:
    gray, before = (np.asarray(one, np.float64).mean(axis=2) for one in (image, texture))
    if gray.std() < 1e-6:
        return True  # all one color: nothing to see, and nothing moved
    if abs(_correlation(gray, before)) <= 0.4:
        return _of_equal_colors(gray, before)
    half, moved = gray.shape[0] // 2, 0
    for top in (0, half):
        for left in (0, half):
            rows, columns = slice(top + 2, top + half - 2), slice(left + 2, left + half - 2)
            found = {
                (down, right): abs(
                    _correlation(gray[rows, columns], np.roll(before, (down, right), (0, 1))[rows, columns])
                )
                for down, right in SHIFTS
            }
            # Noise and sharpening may blur the peak; a texture that has moved by a pixel differs by more.
            moved += found[0, 0] < max(found.values()) - 0.05
    return moved < 2  # one may have been erased


def _of_equal_colors(gray: NDArray[np.float64], before: NDArray[np.float64]) -> bool:
    """Whether blocks that had one color still have one, as after solarizing, which keeps nothing else."""
    means, were = (one.reshape(8, 8, 8, 8).mean(axis=(1, 3)).ravel() for one in (gray, before))
    apart = [means[np.isclose(were, color)].var() for color in np.unique(were.round(6))]
    return float(np.mean(apart)) < 0.3 * float(means.var())


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    if one.std() < 1e-6 or other.std() < 1e-6:
        return 0.0
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def _refusal(transform: Any, what: str) -> ValueError:
    return ValueError(
        f'TwoViews holds {type(transform).__name__}, which {what}: both views need one geometry, so put it before '
        'TwoViews, where it acts on both.'
    )

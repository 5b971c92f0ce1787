"""Transforms that load the image and the mask of a scene of digits."""

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.datasets.transforms import LoadAnnotations

from mmdmt.datasets.digits.digit_rendering import Scene, render_scene
from mmdmt.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadSceneImage(BaseTransform):
    """Render the image of a sample of :class:`mmdmt.DigitScenes`, in place of ``LoadImageFromFile``.

    Required keys: ``scene``. Added keys: ``img`` ((H, W, 3) uint8, BGR), ``img_shape`` and ``ori_shape``.

    Raises:
        ValueError: If the sample comes from another data set than ``DigitScenes``.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add the image to a sample."""
        results['img'] = _scene_of(results, 'LoadSceneImage', 'LoadImageFromFile').image.copy()
        results['img_shape'] = results['ori_shape'] = results['img'].shape[:2]
        return results


@TRANSFORMS.register_module()
class LoadSceneAnnotations(LoadAnnotations):
    """Render the mask of a sample of :class:`mmdmt.DigitScenes`, in place of ``LoadAnnotations``.

    Required keys: ``scene``, ``seg_map_path``, ``label_map``, ``reduce_zero_label``, ``seg_fields``. Added keys:
    ``gt_seg_map`` ((H, W) uint8).

    Raises:
        ValueError: If the sample comes from another data set than ``DigitScenes``, or from one without masks.
    """

    def __init__(self) -> None:
        super().__init__()

    def _load_seg_map(self, results: dict[str, Any]) -> None:
        if 'seg_map_path' not in results:
            raise ValueError(
                f"'{results.get('img_path')}' is of a dataset without masks (its data_prefix has no seg_map_path): "
                'take LoadSceneAnnotations out of the pipeline, or seg_map_path=None out of data_prefix.'
            )
        old = _scene_of(results, 'LoadSceneAnnotations', 'LoadAnnotations').mask
        # In MMSegmentation's order: zero is dropped first, chosen classes are renumbered then.
        if results['reduce_zero_label']:
            old = old - np.uint8(1)  # 0 becomes 255
        mask = old.copy()
        for before, after in (results.get('label_map') or {}).items():
            mask[old == before] = after
        results['gt_seg_map'] = mask
        results['seg_fields'].append('gt_seg_map')


def _scene_of(results: dict[str, Any], transform: str, instead: str) -> Scene:
    """Render the scene of a sample, or name the transform that suits the sample."""
    if 'scene' not in results:
        raise ValueError(
            f"mmdmt.{transform} renders scenes of mmdmt.DigitScenes, and '{results.get('img_path')}' is none: "
            f'use {instead} for a dataset of files.'
        )
    return render_scene(results['scene'])

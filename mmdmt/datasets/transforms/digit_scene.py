"""Transforms that load the image and the mask of a scene of digits."""

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.datasets.transforms import LoadAnnotations

from mmdmt.datasets.digits.digit_rendering import Scene, render_scene
from mmdmt.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadSceneImage(BaseTransform):
    """Render the image of a sample of :class:`~mmdmt.datasets.digits.digit_scenes.DigitScenes`.

    Stands where ``LoadImageFromFile`` stands for a dataset of files. Reads the key ``scene``; adds ``img``
    ((H, W, 3) uint8, BGR), ``img_shape`` and ``ori_shape`` ((H, W) in pixels).

    Raises:
        ValueError: If the sample comes from another data set than ``DigitScenes``.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add the image to a sample.

        Args:
            results: The sample, changed in place.

        Returns:
            ``results``.
        """
        image = _scene_of(results, 'LoadSceneImage', 'LoadImageFromFile').image.copy()
        results['img'] = image
        results['img_shape'] = results['ori_shape'] = image.shape[:2]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'


@TRANSFORMS.register_module()
class LoadSceneAnnotations(LoadAnnotations):
    """Render the mask of a sample of :class:`~mmdmt.datasets.digits.digit_scenes.DigitScenes`.

    Stands where MMSegmentation's ``LoadAnnotations`` stands for a dataset of files. Reads the keys ``scene``,
    ``seg_map_path``, ``label_map``, ``reduce_zero_label`` and ``seg_fields``; adds ``gt_seg_map`` ((H, W) uint8) and
    its name to ``seg_fields``.

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
        mask = _scene_of(results, 'LoadSceneAnnotations', 'LoadAnnotations').mask
        # Old label to new label, in MMSegmentation's order: zero is dropped first, chosen classes are renumbered then.
        lookup = np.arange(256)
        if results['reduce_zero_label']:
            lookup = np.where(np.isin(lookup, (0, 255)), 255, lookup - 1)
        renumbered = lookup.copy()
        for old, new in (results.get('label_map') or {}).items():
            renumbered[lookup == old] = new
        results['gt_seg_map'] = renumbered.astype(np.uint8)[mask]
        results['seg_fields'].append('gt_seg_map')

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'


def _scene_of(results: dict[str, Any], transform: str, instead: str) -> Scene:
    """Render the scene of a sample, or tell the user which transform suits the sample."""
    if 'scene' not in results:
        raise ValueError(
            f"mmdmt.{transform} renders scenes of mmdmt.DigitScenes, and '{results.get('img_path')}' is none: "
            f'use {instead} for a dataset of files.'
        )
    return render_scene(results['scene'])

"""Set the size at which predictions are compared with the ground truth."""

from typing import Any

from mmcv.transforms import BaseTransform

from mmdmt.registry import TRANSFORMS


@TRANSFORMS.register_module()
class EvaluateAtThisSize(BaseTransform):
    """Compare predictions with the ground truth at the size that both have here, not at that of the image file.

    For benchmarks whose numbers are of another resolution than the files, such as Cityscapes at half size; put it after
    ``LoadAnnotations`` and ``Resize``.

    Required keys: ``img_shape``, and ``gt_seg_map`` where there is ground truth. Modified keys: ``ori_shape``.

    Raises:
        ValueError: If the ground truth has another size than the image.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Take the present size for the original one."""
        size = tuple(results['img_shape'][:2])
        label = results.get('gt_seg_map')
        if label is not None and label.shape[:2] != size:
            raise ValueError(
                f'{results.get("seg_map_path")} is {label.shape[:2]} and its image {size} where EvaluateAtThisSize '
                'stands: put LoadAnnotations before Resize, so that both are resized.'
            )
        results['ori_shape'] = size
        return results

"""Set the size at which predictions are compared with the ground truth."""

from typing import Any

from mmcv.transforms import BaseTransform

from mmdmt.registry import TRANSFORMS


@TRANSFORMS.register_module()
class EvaluateAtThisSize(BaseTransform):
    """Compare predictions with the ground truth at the size that both have here.

    A segmentor scales its logits to ``ori_shape``, the size of the image file. Where the ground truth has been resized
    with the image, after ``LoadAnnotations`` and ``Resize``, this tells the segmentor so. For benchmarks whose numbers
    are of another resolution than the files, such as Cityscapes at half size.

    Required keys: ``img_shape``, and ``gt_seg_map`` where there is ground truth. Modified keys: ``ori_shape``.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Take the present size for the original one.

        Raises:
            ValueError: If the ground truth has another size than the image.
        """
        size = tuple(results['img_shape'][:2])
        label = results.get('gt_seg_map')
        if label is not None and label.shape[:2] != size:
            raise ValueError(
                f'{results.get("seg_map_path")} is {label.shape[:2]} and its image {size} where EvaluateAtThisSize '
                'stands: put LoadAnnotations before Resize, so that both are resized.'
            )
        results['ori_shape'] = size
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'

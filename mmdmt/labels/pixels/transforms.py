"""Load and pack pseudo-labeled images of segmentation."""

from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.structures import PixelData
from mmseg.datasets.transforms import PackSegInputs

from mmdmt.labels.pixels.bank import open_bank
from mmdmt.labels.pixels.masks import NO_CLASS
from mmdmt.labels.pixels.nodata import ignore_nodata
from mmdmt.method.draws import ONLINE, TRUTH, WEAK_VIEW
from mmdmt.method.weights import ORACLE
from mmdmt.registry import TRANSFORMS
from mmdmt.settings import Number, check_settings


class IgnoringTransform(BaseTransform):
    """A transform of pseudo labels that ignores some.

    Args:
        ignore_index (int, optional): The label that they get. Defaults to None, the one that the labeled images ignore,
            which :class:`mmdmt.MutualDataset` hands on; 255 outside of it.
    """

    def __init__(self, ignore_index: int | None = None) -> None:
        self.ignore_index = ignore_index

    @property
    def ignored(self) -> int:
        """The label that is ignored."""
        return NO_CLASS if self.ignore_index is None else self.ignore_index


@TRANSFORMS.register_module()
class LoadPseudoLabel(IgnoringTransform):
    """Load the pseudo label of an image from the bank: what ``LoadAnnotations`` is for an annotated one.

    What stands before it is done for labeling, too, and must not be random. Label and confidence both stand in
    ``seg_fields``: transforms that move all of them, such as ``Resize``, ``RandomCrop``, ``RandomFlip`` and
    ``RandomRotate``, may follow; those that move ``gt_seg_map`` alone, such as ``Albu``, may not.

    Required keys: ``img``, and ``pseudo_label``, the bank's folder and the number of the image, as
    :class:`mmdmt.MutualDataset` gives it. Added keys: ``gt_seg_map`` (uint8 (H, W)), ``pseudo_confidence`` (float32
    (H, W)), and both names in ``seg_fields``. For labels online ``gt_seg_map`` is a label that is not ignored, without
    confidence; for an oracle it is the mask.

    Args:
        ignore_index (int, optional): The label of pixels below their class's threshold. Defaults to None, the one that
            the labeled images ignore, which :class:`mmdmt.MutualDataset` hands on; 255 outside of it.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Load it.

        Raises:
            ValueError: If the label has another size than the image.
        """
        folder, number = results['pseudo_label']
        shape = results['img'].shape[:2]
        confidence = None
        if folder == ONLINE:  # the labeler labels anew what is not ignored; what padding adds stays ignored
            label = np.full(shape, int(self.ignored == 0), np.uint8)
        elif folder == TRUTH:
            label = results.pop(TRUTH)
            label[label == NO_CLASS] = self.ignored
            confidence = np.full(label.shape, ORACLE, np.float32)
        else:
            label, confidence = open_bank(folder).read(number, self.ignored)
        if label.shape != shape:
            raise ValueError(
                f'{results.get("img_path", f"Image {number}")} is {shape} where LoadPseudoLabel stands, but was '
                f'labeled at {label.shape} ({folder}): transforms before LoadPseudoLabel must give the same size every '
                'time, and the image must not change during a run.'
            )
        ignore_nodata(results, label, self.ignored)
        maps = {'gt_seg_map': label} | ({} if confidence is None else {'pseudo_confidence': confidence})
        results.update(maps, seg_fields=[*results.get('seg_fields', ()), *maps])
        return results


@TRANSFORMS.register_module()
class IgnoreMargins(IgnoringTransform):
    """Ignore pseudo labels at the upper and lower margin of an image, where those of another domain are mostly wrong.

    DAFormer ignores 15 and 120 rows of 512. It stands after :class:`LoadPseudoLabel` and before what crops.

    Args:
        top (int): Rows at the upper margin. Defaults to 15.
        bottom (int): Rows at the lower margin. Defaults to 120.
        ignore_index (int, optional): The label that the rows get, as in :class:`LoadPseudoLabel`. Defaults to None.

    Raises:
        ValueError: If a number of rows is negative, no row of an image is left, or the label is of an annotated image.
    """

    SETTINGS = {'top': Number(0, whole=True), 'bottom': Number(0, whole=True)}

    def __init__(self, top: int = 15, bottom: int = 120, ignore_index: int | None = None) -> None:
        super().__init__(ignore_index)
        check_settings(self, locals())
        self.top = top
        self.bottom = bottom

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Ignore them."""
        if 'pseudo_label' not in results:
            raise ValueError(
                'IgnoreMargins found no pseudo label: put it after LoadPseudoLabel, of unlabeled data only.'
            )
        label = results['gt_seg_map']
        height = label.shape[0]
        if self.top + self.bottom >= height:
            raise ValueError(
                f'IgnoreMargins leaves no row of {results.get("img_path", "an image")}, which has {height}: top='
                f'{self.top} and bottom={self.bottom} are rows at the size that the image has where it stands.'
            )
        label[: self.top] = label[height - self.bottom :] = self.ignored
        return results


@TRANSFORMS.register_module()
class PackPseudoLabel(PackSegInputs):
    """Pack a pseudo-labeled image: ``PackSegInputs`` that adds ``pseudo_confidence`` (float32, (1, H, W)).

    For labels online it adds the labeler's view instead, ``weak_view`` (uint8, (3, H, W)), of :class:`mmdmt.TwoViews`.

    Args:
        meta_keys (Sequence[str]): As of ``PackSegInputs``.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Pack it."""
        packed = super().transform(results)
        if 'pseudo_confidence' in results:
            _check_sizes(results)
            confidence = torch.from_numpy(results['pseudo_confidence'].copy())
            packed['data_samples'].pseudo_confidence = PixelData(data=confidence.unsqueeze(0))
        if WEAK_VIEW in results:
            packed['data_samples'].set_field(PixelData(data=results[WEAK_VIEW]), WEAK_VIEW)
        return packed


def _check_sizes(results: dict[str, Any]) -> None:
    """Check that a label is larger than its confidence by padding at most, at the bottom and on the right."""
    label, confidence = results['gt_seg_map'], results['pseudo_confidence']
    height, width = confidence.shape
    if label.shape == confidence.shape:
        return
    outside = np.concatenate([label[height:].ravel(), label[:height, width:].ravel()])
    if label[:height, :width].shape != confidence.shape or np.unique(outside).size > 1:
        raise ValueError(
            f'The pseudo label of {results.get("img_path")} is {label.shape} where it is packed, its confidence '
            f'{confidence.shape}: a transform of the unlabeled dataset moves gt_seg_map alone; take one that moves all '
            'seg_fields, or leave padding to the data_preprocessor (size=...).'
        )

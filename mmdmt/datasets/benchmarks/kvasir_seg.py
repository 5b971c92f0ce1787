"""Kvasir-SEG: polyps in colonoscopy."""

from typing import Any

from mmdmt.preparation.converted_masks import ConvertedMasksDataset
from mmdmt.registry import DATASETS


@DATASETS.register_module()
class KvasirSEGDataset(ConvertedMasksDataset):
    """Kvasir-SEG, 1000 images of 332x487 to 1920x1072 pixels; background and polyp.

    ``images/*.jpg`` of the data set and ``*.png`` of the same stem, which ``tools/dataset_converters/kvasir_seg.py``
    writes from ``masks/*.jpg`` into a folder outside the data set.

    Jha et al., "Kvasir-SEG: A Segmented Polyp Dataset", MMM 2020, https://arxiv.org/abs/1911.07069.

    Args:
        img_suffix: How image files end. Default: ``'.jpg'``.
        seg_map_suffix: How mask files end. Default: ``'.png'``.
        **kwargs: Other arguments of ``BaseSegDataset``.
    """

    METAINFO = dict(classes=('background', 'polyp'), palette=[[0, 0, 0], [255, 255, 255]])
    CONVERTER = 'tools/dataset_converters/kvasir_seg.py'
    IMAGES = 'images'

    def __init__(self, img_suffix: str = '.jpg', seg_map_suffix: str = '.png', **kwargs: Any) -> None:
        super().__init__(img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, **kwargs)

"""CamVid: street scenes, 11 classes."""

from typing import Any

from mmdmt.preparation.converted_masks import ConvertedMasksDataset
from mmdmt.registry import DATASETS

CLASSES = ('sky', 'building', 'pole', 'road', 'pavement', 'tree', 'sign', 'fence', 'car', 'pedestrian', 'bicyclist')
PALETTE = [[128, 128, 128], [128, 0, 0], [192, 192, 128], [128, 64, 128], [60, 40, 222], [128, 128, 0],
           [192, 128, 128], [64, 64, 128], [64, 0, 128], [64, 64, 0], [0, 128, 192]]  # fmt: skip


@DATASETS.register_module()
class CamVidDataset(ConvertedMasksDataset):
    """The 11 classes of the Cambridge-driving Labeled Video Database, as the SegNet tutorial has them.

    ``train``, ``val`` and ``test`` with images and ``trainannot``, ``valannot`` and ``testannot`` with masks, all of
    them ``*.png`` that ``tools/dataset_converters/camvid.py`` writes: 367, 101 and 233 of them, void as 255.

    Brostow et al., "Semantic object classes in video", Pattern Recognition Letters 30 (2009).

    Args:
        img_suffix: How image files end. Default: ``'.png'``.
        seg_map_suffix: How mask files end. Default: ``'.png'``.
        **kwargs: Other arguments of ``BaseSegDataset``.
    """

    METAINFO = dict(classes=CLASSES, palette=PALETTE)
    CONVERTER = 'tools/dataset_converters/camvid.py'
    IMAGES = 'train'

    def __init__(self, img_suffix: str = '.png', seg_map_suffix: str = '.png', **kwargs: Any) -> None:
        super().__init__(img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, **kwargs)

"""GTA5: frames of a video game with the classes of Cityscapes."""

from typing import Any

from mmseg.datasets import CityscapesDataset

from mmdmt.preparation.converted_masks import ConvertedMasksDataset
from mmdmt.registry import DATASETS


@DATASETS.register_module()
class GTADataset(ConvertedMasksDataset):
    """GTA5, 24 966 frames of about 1914x1052 pixels with the 19 classes of Cityscapes.

    ``images/00001.png`` of the data set and ``00001_labelTrainIds.png``, which ``tools/dataset_converters/gta.py``
    writes from ``labels/00001.png`` into a folder outside the data set.

    Richter et al., "Playing for Data: Ground Truth from Computer Games", ECCV 2016, https://arxiv.org/abs/1608.02192.

    Args:
        img_suffix: How image files end. Default: ``'.png'``.
        seg_map_suffix: How mask files end. Default: ``'_labelTrainIds.png'``.
        **kwargs: Other arguments of ``BaseSegDataset``.
    """

    METAINFO = CityscapesDataset.METAINFO
    CONVERTER = 'tools/dataset_converters/gta.py'
    IMAGES = 'images'

    def __init__(self, img_suffix: str = '.png', seg_map_suffix: str = '_labelTrainIds.png', **kwargs: Any) -> None:
        super().__init__(img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, **kwargs)

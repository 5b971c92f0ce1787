"""SYNTHIA: rendered city scenes with 16 of the classes of Cityscapes."""

from typing import Any

from mmseg.datasets import CityscapesDataset

from mmdmt.preparation.converted_masks import ConvertedMasksDataset
from mmdmt.registry import DATASETS

#: Classes of Cityscapes that are not trained on SYNTHIA, as in the field's tables of 16 classes.
NOT_TRAINED = ('terrain', 'truck', 'train')


def _metainfo() -> dict[str, Any]:
    cityscapes = CityscapesDataset.METAINFO
    pairs = zip(cityscapes['classes'], cityscapes['palette'], strict=True)
    classes, palette = zip(*(pair for pair in pairs if pair[0] not in NOT_TRAINED), strict=True)
    return {'classes': classes, 'palette': list(palette)}


@DATASETS.register_module()
class SYNTHIADataset(ConvertedMasksDataset):
    """SYNTHIA-RAND-CITYSCAPES, 9400 scenes of 1280x760 pixels with 16 classes.

    They are the classes of Cityscapes in its order, without terrain, truck and train. ``CityscapesDataset`` gives the
    same labels with ``metainfo=dict(classes=...)`` of these 16 names.

    ``RGB/0000000.png`` of the data set and ``0000000_labelTrainIds16.png``, which
    ``tools/dataset_converters/synthia.py`` writes from ``GT/LABELS/0000000.png`` into a folder outside the data set.

    Ros et al., "The SYNTHIA Dataset: A Large Collection of Synthetic Images for Semantic Segmentation of Urban Scenes",
    CVPR 2016.

    Args:
        img_suffix: How image files end. Default: ``'.png'``.
        seg_map_suffix: How mask files end. Default: ``'_labelTrainIds16.png'``.
        **kwargs: Other arguments of ``BaseSegDataset``.
    """

    METAINFO = _metainfo()
    CONVERTER = 'tools/dataset_converters/synthia.py'
    IMAGES = 'RGB'

    def __init__(self, img_suffix: str = '.png', seg_map_suffix: str = '_labelTrainIds16.png', **kwargs: Any) -> None:
        super().__init__(img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, **kwargs)

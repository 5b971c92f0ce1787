"""Benchmarks whose masks a script of ``tools/dataset_converters`` writes first: CamVid, GTA5, Kvasir-SEG, SYNTHIA."""

from typing import Any

from mmseg.datasets import BaseSegDataset, CityscapesDataset

from mmdmt.registry import DATASETS

CAMVID = ('sky', 'building', 'pole', 'road', 'pavement', 'tree', 'sign', 'fence', 'car', 'pedestrian', 'bicyclist')
CAMVID_PALETTE = [[128, 128, 128], [128, 0, 0], [192, 192, 128], [128, 64, 128], [60, 40, 222], [128, 128, 0],
                  [192, 128, 128], [64, 64, 128], [64, 0, 128], [64, 64, 0], [0, 128, 192]]  # fmt: skip
CITYSCAPES = dict(zip(CityscapesDataset.METAINFO['classes'], CityscapesDataset.METAINFO['palette'], strict=True))
SYNTHIA = {name: color for name, color in CITYSCAPES.items() if name not in ('terrain', 'truck', 'train')}


class _Converted(BaseSegDataset):
    """Images of a data set and, elsewhere, the masks that a converter has made of its labels."""

    #: How files of images and of masks end.
    SUFFIXES = ('.png', '.png')

    def __init__(self, img_suffix: str = '', seg_map_suffix: str = '', **kwargs: Any) -> None:
        images, masks = self.SUFFIXES
        super().__init__(img_suffix=img_suffix or images, seg_map_suffix=seg_map_suffix or masks, **kwargs)


@DATASETS.register_module()
class CamVidDataset(_Converted):
    """The 11 classes of the Cambridge-driving Labeled Video Database, as the SegNet tutorial has them.

    ``train``, ``val`` and ``test`` with images and ``trainannot``, ``valannot`` and ``testannot`` with masks, all of
    them ``*.png`` that ``tools/dataset_converters/camvid.py`` writes: 367, 101 and 233 of them, void as 255.

    Brostow et al., "Semantic object classes in video", Pattern Recognition Letters 30 (2009).
    """

    METAINFO = dict(classes=CAMVID, palette=CAMVID_PALETTE)


@DATASETS.register_module()
class GTADataset(_Converted):
    """GTA5, 24 966 frames of about 1914x1052 pixels with the 19 classes of Cityscapes.

    ``images/00001.png`` of the data set and ``00001_labelTrainIds.png``, which ``tools/dataset_converters/gta.py``
    writes from ``labels/00001.png`` into a folder outside the data set.

    Richter et al., "Playing for Data: Ground Truth from Computer Games", ECCV 2016, https://arxiv.org/abs/1608.02192.
    """

    METAINFO = CityscapesDataset.METAINFO
    SUFFIXES = ('.png', '_labelTrainIds.png')


@DATASETS.register_module()
class KvasirSEGDataset(_Converted):
    """Kvasir-SEG, 1000 images of 332x487 to 1920x1072 pixels; background and polyp.

    ``images/*.jpg`` of the data set and ``*.png`` of the same stem, which ``tools/dataset_converters/kvasir_seg.py``
    writes from ``masks/*.jpg`` into a folder outside the data set.

    Jha et al., "Kvasir-SEG: A Segmented Polyp Dataset", MMM 2020, https://arxiv.org/abs/1911.07069.
    """

    METAINFO = dict(classes=('background', 'polyp'), palette=[[0, 0, 0], [255, 255, 255]])
    SUFFIXES = ('.jpg', '.png')


@DATASETS.register_module()
class SYNTHIADataset(_Converted):
    """SYNTHIA-RAND-CITYSCAPES, 9400 scenes of 1280x760 pixels with 16 classes.

    They are the classes of Cityscapes in its order, without terrain, truck and train, as in the field's tables;
    ``CityscapesDataset`` gives the same labels with ``metainfo=dict(classes=...)`` of these 16 names.
    ``RGB/0000000.png`` of the data set and ``0000000_labelTrainIds16.png``, which
    ``tools/dataset_converters/synthia.py`` writes from ``GT/LABELS/0000000.png`` into a folder outside the data set.

    Ros et al., "The SYNTHIA Dataset: A Large Collection of Synthetic Images for Semantic Segmentation of Urban Scenes",
    CVPR 2016.
    """

    METAINFO = dict(classes=tuple(SYNTHIA), palette=list(SYNTHIA.values()))
    SUFFIXES = ('.png', '_labelTrainIds16.png')

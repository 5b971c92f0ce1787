"""CIFAR-10, partly labeled."""

from typing import Any

import numpy as np
from mmpretrain.datasets import CIFAR10

from mmdmt.preparation.splits import split_classes
from mmdmt.registry import DATASETS
from mmdmt.settings import Choice, check_settings


@DATASETS.register_module()
class PartlyLabeledCIFAR10(CIFAR10):
    """A part of CIFAR-10: 32x32 pixels, RGB, 10 classes, 50 000 images to train on and 10 000 to test on.

    Of the 50 000, every class has as many labeled and as many validation images
    (:func:`~mmdmt.preparation.splits.split_classes`). The files are those of the archive for Python, in the folder
    ``cifar-10-batches-py``. An image is known by its number there, ``cifar-10/train/00042`` as its ``img_path``.

    Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.

    Args:
        data_root (str): The folder that the archive was unpacked in.
        part (str): ``'labeled'``, ``'unlabeled'``, ``'val'``, ``'train'`` (labeled and unlabeled) or ``'test'``.
            Defaults to ``'labeled'``.
        labels_per_class (int): Labeled images of each class. Defaults to 400.
        val_per_class (int): Images of each class that are left to validate on. Defaults to 20.
        seed (int): Of the split. Defaults to 1.
        download (bool): Download the archive (163 MiB) if it is not there. Defaults to False.
        **kwargs: Other arguments of MMPretrain's ``CIFAR10``.

    Raises:
        ValueError: If the part is unknown, or a class has too few images.
        RuntimeError: If a file of the archive is missing or damaged.
    """

    SETTINGS = {'part': Choice('labeled', 'unlabeled', 'val', 'train', 'test')}

    def __init__(
        self,
        data_root: str = '',
        part: str = 'labeled',
        labels_per_class: int = 400,
        val_per_class: int = 20,
        seed: int = 1,
        download: bool = False,
        **kwargs: Any,
    ) -> None:
        check_settings(self, locals())
        self.part = part
        self._counts = labels_per_class, val_per_class, seed
        super().__init__(data_root, 'test' if part == 'test' else 'train', download=download, **kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """Read the images of the part: ``img`` (uint8 (32, 32, 3), RGB), ``gt_label`` and ``img_path``, its name."""
        images: list[dict[str, Any]] = super().load_data_list()
        for number, image in enumerate(images):
            image['img_path'] = f'cifar-10/{self.split}/{number:05d}'
        if self.part == 'test':
            return images
        split = split_classes(np.array([image['gt_label'] for image in images]), *self._counts)
        return [images[number] for number in split[self.part]]

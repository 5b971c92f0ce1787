"""What scripts of the toolbox need to work on data sets of a run: an order of images, and images to draw on."""

from pathlib import PurePath
from typing import Any

import numpy as np
from mmseg.registry import DATASETS, VISUALIZERS


class TestedImages:
    """The images of a data set, in the order of the names of their predictions.

    ``analysis_tools/confusion_matrix`` pairs the sorted files of a folder with the images as the list has them, and
    asks the class for its classes, which the config may give.

    Args:
        dataset (BaseSegDataset): The data set.

    Examples:
        >>> class Two(list):
        ...     metainfo, ignore_index = {'classes': ('ground', 'square')}, 255
        ...     def get_data_info(self, number):
        ...         return {'img_path': self[number]}
        >>> TestedImages(Two(['b.jpg', 'a.jpg']))[0]
        'a.jpg'
    """

    __test__ = False  # no class of tests

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset
        names = [PurePath(dataset.get_data_info(number)['img_path']).stem for number in range(len(dataset))]
        self._order = sorted(range(len(names)), key=lambda number: f'{names[number]}.png')
        self.METAINFO = self.metainfo = dataset.metainfo
        self.ignore_index, self.reduce_zero_label = dataset.ignore_index, False  # its loader has reduced them

    @classmethod
    def build(cls, config: Any) -> 'TestedImages':
        """Build one from the config of the data set, as the registry would."""
        return cls(DATASETS.build(config))

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._dataset)

    def __getitem__(self, place: int) -> Any:
        """Load the image at a place in the order."""
        return self._dataset[self._order[place]]


class PaintableVisualizers:
    """Visualizers that are handed images as OpenCV draws on them; ``browse_dataset`` hands them a turned view."""

    @staticmethod
    def build(config: Any) -> Any:
        """Build a visualizer from its config, as the registry would."""
        visualizer = VISUALIZERS.build(config)
        draw = visualizer.add_datasample

        def add_datasample(name: str, image: Any, *given: Any, **named: Any) -> None:
            draw(name, np.ascontiguousarray(image), *given, **named)

        visualizer.add_datasample = add_datasample
        return visualizer

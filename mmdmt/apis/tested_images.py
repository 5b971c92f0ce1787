"""A data set in the order of the files of its predictions, for the toolbox's confusion matrix."""

from pathlib import PurePath
from typing import Any

from mmseg.registry import DATASETS


class TestedImages:
    """The images of a data set, in the order of the names of their predictions.

    ``analysis_tools/confusion_matrix`` pairs the sorted files of a folder with the images as the list has them, and
    asks the class for its classes, which the config may give.

    Args:
        dataset (BaseSegDataset): The data set.
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

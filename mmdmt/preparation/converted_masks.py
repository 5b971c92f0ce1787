"""Base class of datasets whose masks were converted into a folder of their own."""

from pathlib import Path
from typing import Any

from mmseg.datasets import BaseSegDataset

from mmdmt.rules.source_files import check_mask_file


class ConvertedMasksDataset(BaseSegDataset):
    """Images of a data set and, elsewhere, the masks that a converter has made of its labels.

    Without ``seg_map_path`` in ``data_prefix`` it is an ordinary unlabeled set. Missing images, lists and masks are
    refused, and masks other than 8-bit images of one channel. ``CONVERTER``, the script that writes the masks, and
    ``IMAGES``, the image folder of the published data set, are named in the errors.

    Args:
        img_suffix: How image files end. Default: that of the data set.
        seg_map_suffix: How mask files end. Default: that of the converter.
        **kwargs: Other arguments of ``BaseSegDataset``.
    """

    CONVERTER: str
    IMAGES: str
    #: How files of images and of masks end.
    SUFFIXES = ('.png', '.png')

    def __init__(self, img_suffix: str = '', seg_map_suffix: str = '', **kwargs: Any) -> None:
        images, masks = self.SUFFIXES
        super().__init__(img_suffix=img_suffix or images, seg_map_suffix=seg_map_suffix or masks, **kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """List the images, and check that there are masks for them."""
        name = f'mmdmt.{type(self).__name__}'
        if self.backend_args:
            return super().load_data_list()
        images = Path(self.data_prefix.get('img_path') or '')
        if not images.is_dir():
            raise FileNotFoundError(
                f'{images} (img_path of {name}) does not exist: set data_root={self.data_root!r} and data_prefix so '
                f'that they lead to the folder {self.IMAGES} of the data set.'
            )
        if self.ann_file and not Path(self.ann_file).is_file():
            raise FileNotFoundError(
                f'{self.ann_file} (ann_file of {name}) does not exist: make the list, or leave ann_file out for all '
                'images of the folder.'
            )
        entries = super().load_data_list()
        if not entries:
            raise ValueError(
                f'{self.ann_file or images} names no image for {name}: check data_root, and that the files end in '
                f'img_suffix={self.img_suffix!r}.'
            )
        if self.data_prefix.get('seg_map_path'):
            self._check_masks([Path(entry['seg_map_path']) for entry in entries])
        return entries

    def _check_masks(self, masks: list[Path]) -> None:
        # One listing of each folder: asking for every file takes minutes on a network disk.
        there = {path for folder in {mask.parent for mask in masks} if folder.is_dir() for path in folder.iterdir()}
        missing = [mask for mask in masks if mask not in there]
        if missing:
            raise FileNotFoundError(
                f'{len(missing)} of {len(masks)} masks of mmdmt.{type(self).__name__} do not exist, first '
                f'{missing[0]}: run {self.CONVERTER} and give its output folder as seg_map_path, or name the images '
                'that have a mask in ann_file.'
            )
        # The converter writes all masks alike: look at one.
        check_mask_file(masks[0], f'run {self.CONVERTER} and give its output folder as seg_map_path')

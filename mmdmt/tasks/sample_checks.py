"""Check the files of an image when it is read."""

from collections.abc import Iterator
from contextlib import contextmanager
from traceback import walk_tb
from typing import Any

from mmcv.image import imfrombytes
from mmcv.transforms import BaseTransform, LoadAnnotations, LoadImageFromFile
from mmengine.dataset import BaseDataset
from mmengine.fileio import get


class CheckSizes(BaseTransform):
    """Refuse an image whose mask has another size; stands right behind the transform that loads the mask."""

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Check it.

        Raises:
            ValueError: If the sizes differ.
        """
        image, mask = results.get('img'), results.get('gt_seg_map')
        if image is not None and mask is not None and image.shape[:2] != mask.shape[:2]:
            raise ValueError(
                f'The image {results.get("img_path")} is {image.shape[0]}x{image.shape[1]} (height x width), but its '
                f'mask {results.get("seg_map_path")} is {mask.shape[0]}x{mask.shape[1]}: give it the mask of its own '
                'size.'
            )
        return results


def check_sizes(dataset: BaseDataset) -> None:
    """Let a dataset check, for each image that it loads, that its mask has the same size."""
    transforms = getattr(getattr(dataset, 'pipeline', None), 'transforms', [])
    for place, transform in enumerate(transforms):
        if isinstance(transform, LoadAnnotations):
            transforms.insert(place + 1, CheckSizes())
            return


@contextmanager
def naming_files(dataset: BaseDataset, image: int) -> Iterator[None]:
    """Name the file if an image fails to load because one of its files is none of an image.

    Args:
        dataset (BaseDataset): The dataset.
        image (int): The number of the image that is loaded in the context.

    Raises:
        ValueError: If loading fails and a file holds no image; any other error passes.
    """
    try:
        yield
    except Exception as error:
        raisers = (frame.f_locals.get('self') for frame, _ in walk_tb(error.__traceback__))
        if not any(isinstance(raiser, LoadImageFromFile | LoadAnnotations) for raiser in raisers):
            raise
        info = dataset.get_data_info(image)
        for key in ('img_path', 'seg_map_path'):
            if info.get(key) and (fault := _fault(info[key])):
                raise ValueError(f'{info[key]} ({key}) {fault}: replace it, or take it off the list.') from error
        raise


def _fault(path: str) -> str:
    try:
        data = get(path)
    except OSError as error:
        return f'cannot be read ({error.strerror or error})'
    if not data:
        return 'is empty'
    try:
        return '' if imfrombytes(data, flag='unchanged') is not None else 'is no image'
    except Exception as error:  # whatever the decoder raises
        return f'is no image ({error})'

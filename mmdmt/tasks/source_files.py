"""Check that the files of a dataset exist and have the right kind."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmcv.transforms import LoadImageFromFile
from mmengine.dataset import BaseDataset

from mmdmt.tasks.file_rules import mask_mode, missing
from mmdmt.tasks.findings import FileError, by_kind
from mmdmt.tasks.image_content import read_content
from mmdmt.tasks.joined_datasets import plain_datasets


def check_places(name: str, config: Mapping[str, Any], with_masks: bool = False) -> None:
    """Check that the list and the image folder of a dataset exist, where the toolbox only asserts it.

    Args:
        name: Which dataset it is, such as ``'labeled'``, for the error message.
        config: Config of a dataset, or of one that joins or repeats others. Those on other storage are not looked at.
        with_masks: Whether the folder of masks must exist, too. Default: False.

    Raises:
        FileNotFoundError: If one does not exist.
    """
    for part in plain_datasets(config):
        _check_places(name, part, with_masks)


def _check_places(name: str, config: Mapping[str, Any], with_masks: bool) -> None:
    if config.get('backend_args'):
        return
    root = config.get('data_root') or ''
    folders = config.get('data_prefix') or {}
    places = (
        (
            'ann_file',
            config.get('ann_file'),
            'make the list first (tools/make_splits.py, or the converter of the data)',
        ),
        ('img_path', folders.get('img_path'), 'set data_root and data_prefix to where the images are'),
        (
            'seg_map_path',
            folders.get('seg_map_path') if with_masks else '',
            'set data_root and data_prefix to where the masks are, and run the converter of the data if it has one',
        ),
    )
    for key, path, remedy in places:
        place = Path(root, path or '')  # as MMEngine does: an absolute path stays what it is
        if path and not place.exists():
            raise FileNotFoundError(
                f'{place} ({key} of the {name} dataset, data_root={root!r}) does not exist: {remedy}.'
            )


def check_mask_file(path: Path, remedy: str) -> None:
    """Check that a mask is an image of one channel of at most 8 bits.

    Args:
        path: An image file.
        remedy: What to do about another one, for the error message.

    Raises:
        ValueError: If it is of another kind.
    """
    finding = mask_mode(str(path), read_content(path.read_bytes()))
    if finding is not None and finding.stops:
        raise FileError(replace(finding, remedy=remedy))


def check_files(name: str, dataset: BaseDataset, keys: Sequence[str]) -> None:
    """Check that the files of a plain dataset on the local disk exist.

    Args:
        name (str): As sentences name the dataset.
        dataset (BaseDataset): One that reads no files is not looked at.
        keys (Sequence[str]): What names a file in the information on an image.

    Raises:
        FileNotFoundError: If some do not exist.
        ValueError: If the dataset names none, such as masks.
    """
    transforms = getattr(getattr(dataset, 'pipeline', None), 'transforms', ())
    on_disk = any(isinstance(transform, LoadImageFromFile) for transform in transforms)
    if not on_disk or getattr(dataset, 'backend_args', None):
        return
    infos = [dataset.get_data_info(number) for number in range(len(dataset))]
    without = next((key for key in keys for info in infos[:1] if info.get(key) is None), None)
    if without:
        raise ValueError(f'{name} names no {without} of its images: give its data_prefix a {without}.')
    absent = [
        missing('mask' if key == 'seg_map_path' else 'image', info[key])
        for info in infos
        for key in keys
        if not os.path.isfile(info[key])  # noqa: PTH113  many, and a Path takes longer than the look
    ]
    if absent:
        raise FileNotFoundError(' '.join(by_kind(absent)))

"""Check that the files of a dataset exist and have the right kind."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image


def check_places(name: str, config: Mapping[str, Any]) -> None:
    """Check that the list and the image folder of a dataset exist, where the toolbox only asserts it.

    Args:
        name: Which dataset of :class:`mmdmt.MutualDataset` it is, for the error message.
        config: Config of a dataset, or of one that joins or repeats others. Those on other storage are not looked at.

    Raises:
        FileNotFoundError: If one does not exist.
    """
    for part in config.get('datasets') or [config['dataset']] if {'datasets', 'dataset'} & set(config) else []:
        check_places(name, part)
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
    )
    for key, path, remedy in places:
        place = Path(root, path or '')  # as MMEngine does: an absolute path stays what it is
        if path and not place.exists():
            raise FileNotFoundError(
                f'{place} ({key} of the {name} dataset of MutualDataset, data_root={root!r}) does not exist: {remedy}.'
            )


def check_mask_file(path: Path, remedy: str) -> None:
    """Check that a mask is an image of one channel of at most 8 bits: the toolbox cuts 16 bits to 8 without a word.

    Args:
        path: An image file.
        remedy: What to do about another one, for the error message.

    Raises:
        ValueError: If it is of another mode.
    """
    with Image.open(path) as mask:  # reads the header alone
        if mask.mode not in ('1', 'L', 'P'):
            raise ValueError(f'{path} is an image of mode {mask.mode}, but a mask has one channel of 8 bits: {remedy}.')

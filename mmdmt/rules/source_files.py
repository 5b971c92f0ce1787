"""Check that the files of a dataset exist and have the right kind."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmcv.transforms import LoadImageFromFile
from mmengine import fileio
from mmengine.dataset import BaseDataset

from mmdmt.registry import type_name
from mmdmt.rules.file_rules import missing
from mmdmt.rules.findings import by_kind
from mmdmt.rules.joined_datasets import plain_datasets

_REMEDIES = {
    'ann_file': 'make the list first (tools/make_splits.py, or the converter of the data)',
    'img_path': 'set data_root and data_prefix to where the images are',
    'seg_map_path': 'set data_root and data_prefix to where the masks are, and run the converter of the data if it has '
    'one',
}


def is_local(backend_args: Any) -> bool:
    """Whether a loader or dataset with these ``backend_args`` reads local files."""
    return not backend_args or backend_args.get('backend') == 'local'


def _steps(dataset: BaseDataset) -> Sequence[Any]:
    return getattr(getattr(dataset, 'pipeline', None), 'transforms', ())


def _storage(steps: Sequence[Any], key: str) -> Any:
    """Return ``backend_args`` of the transform, built or not, that loads images or masks; None if there is none."""
    for step in steps:
        config = step if isinstance(step, Mapping) else vars(step)
        name = type_name(step) if isinstance(step, Mapping) else type(step).__name__
        if name.startswith('Load') and name.endswith('Annotations') == (key == 'seg_map_path'):
            return config.get('backend_args')
    return None


def _existence(backend_args: Any) -> Callable[[str], bool]:
    """Return what tells whether a file exists in a storage; all do where that cannot be asked."""
    if is_local(backend_args):
        return os.path.isfile
    backend = fileio.get_file_backend(backend_args=backend_args)
    return getattr(backend, 'isfile', None) or getattr(backend, 'exists', None) or (lambda _: True)


def check_places(name: str, config: Mapping[str, Any]) -> None:
    """Check that the lists and the image folders of the ``'labeled'`` dataset, or another, exist on the local disk."""
    for part in plain_datasets(config):
        root = part.get('data_root') or ''
        folders = part.get('data_prefix') or {}
        if not is_local(part.get('backend_args')) or '://' in str(root) or not isinstance(folders, Mapping):
            continue
        for key, path in {'ann_file': part.get('ann_file'), 'img_path': folders.get('img_path')}.items():
            if path and (key == 'ann_file' or is_local(_storage(part.get('pipeline') or (), key))):
                # As MMEngine does: an absolute path stays what it is.
                _check_place(f'the {name} dataset', key, Path(root, path), root)


def check_text(dataset: Mapping[str, Any]) -> None:
    """Check that the list of a config of a plain dataset is text in UTF-8, if it is text."""
    path = Path(dataset.get('data_root') or '', dataset.get('ann_file') or '.')
    if not path.is_file() or path.suffix in ('.json', '.pkl', '.pickle', '.yaml', '.yml'):
        return
    try:
        path.read_text(encoding='utf-8')
    except UnicodeDecodeError as error:
        raise ValueError(
            f'The list {path} (ann_file) is not text in UTF-8 ({error.reason}): save the list anew in that encoding.'
        ) from error


def name_lists(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Give the two datasets of a ``MutualDataset`` the lists that its ``lists`` names, as absolute ``ann_file``.

    Raises:
        ValueError: If ``lists`` names one file for both parts.

    Example:
        >>> settings = dict(lists='/splits/{}_92.txt', labeled=dict(), unlabeled=dict(ann_file='/mine.txt'))
        >>> name_lists(settings)
        {'labeled': {'ann_file': '/splits/labeled_92.txt'}, 'unlabeled': {'ann_file': '/mine.txt'}}
    """
    named = dict(settings)
    lists = named.pop('lists', None)
    if lists is None:
        return named
    if not isinstance(lists, str) or '{}' not in lists:
        raise ValueError(
            f'lists={lists!r} of MutualDataset names no two lists: give a path with {{}} in the place of labeled and '
            "unlabeled, such as 'splits/mine/{}.txt', or an ann_file for each of the two datasets."
        )
    for part in ('labeled', 'unlabeled'):
        file = Path.cwd() / lists.replace('{}', part)
        named[part] = {**named[part], 'ann_file': named[part].get('ann_file') or str(file)}
    return named


def check_folders(name: str, dataset: BaseDataset, keys: Sequence[str]) -> None:
    """Check that the folders of a plain dataset exist that ``keys`` of its ``data_prefix`` name."""
    folders = getattr(dataset, 'data_prefix', None) or {}
    if not is_local(getattr(dataset, 'backend_args', None)) or '://' in str(dataset.data_root):
        return
    for key in keys:
        if folders.get(key) and is_local(_storage(_steps(dataset), key)):
            _check_place(name, key, Path(folders[key]), dataset.data_root)


def _check_place(name: str, key: str, place: Path, root: Any) -> None:
    if not place.exists():
        raise FileNotFoundError(f'{place} ({key} of {name}, data_root={root!r}) does not exist: {_REMEDIES[key]}.')


def check_files(name: str, dataset: BaseDataset, keys: Sequence[str]) -> None:
    """Check that the files of a plain dataset exist where their loader reads them.

    Raises:
        FileNotFoundError: If some do not exist.
        ValueError: If the dataset names none, such as masks.
    """
    steps = _steps(dataset)
    if not any(isinstance(transform, LoadImageFromFile) for transform in steps):
        return
    first = dataset.get_data_info(0)
    without = next((key for key in keys if first.get(key) is None), None)
    if without:
        raise ValueError(f'{name} names no {without} of its images: give its data_prefix a {without}.')
    there = {key: _existence(_storage(steps, key) or getattr(dataset, 'backend_args', None)) for key in keys}
    absent = [
        missing('mask' if key == 'seg_map_path' else 'image', info[key])
        for info in map(dataset.get_data_info, range(len(dataset)))
        for key, is_there in there.items()
        if not is_there(info[key])
    ]
    if absent:
        check_folders(name, dataset, keys)
        raise FileNotFoundError(' '.join(by_kind(absent)))

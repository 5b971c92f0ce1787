"""Name images by one rule, as the list of their dataset (``ann_file``) names them, and name the lists."""

from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

from mmengine.dataset import BaseDataset

from mmdmt.preparation.image_lists import find_ids
from mmdmt.preparation.known_lists import IDS, digest, image_id, recognize
from mmdmt.rules.joined_datasets import plain_datasets


def image_names(paths: Sequence[str], dataset: Any) -> list[str]:
    """Name images as ``ann_file`` does: the path below the image folder, without ``img_suffix``."""
    places = []
    for part in plain_datasets(dataset):
        folder = str((getattr(part, 'data_prefix', None) or {}).get('img_path') or '').rstrip('/')
        places.append((f'{folder}/' if folder else '', str(getattr(part, 'img_suffix', '') or '')))
    places.sort(key=lambda place: -len(place[0]))
    names = []
    for path in paths:
        folder, suffix = next((place for place in places if path.startswith(place[0])), ('', ''))
        name = path.removeprefix(folder)
        cut = suffix and name.endswith(suffix)
        names.append(name.removesuffix(suffix) if cut else PurePath(name).with_suffix('').as_posix())
    return names


def find_images_of_list(list_file: str, paths: Sequence[str], dataset: Any) -> list[int]:
    """Look up which images of a dataset a list names, each by its number among the paths of the dataset's images.

    Raises:
        FileNotFoundError: If the file is missing.
        ValueError: If it is empty, or names an image that is not in the dataset, or one that may be two.
    """
    numbers: dict[str, list[int]] = {}
    for number, name in enumerate(image_names(paths, dataset)):
        numbers.setdefault(name, []).append(number)
    suffix = str(getattr(next(iter(plain_datasets(dataset))), 'img_suffix', '') or '')
    found = find_ids(Path(list_file), numbers, suffix)
    for name in found:
        several = sorted({paths[number] for number in numbers[name]})
        if len(several) > 1:
            raise ValueError(f'{list_file} names {name!r}, which may be {several[0]} or {several[1]}: rename one.')
    return [number for name in found for number in numbers[name]]


def list_name(dataset: Any) -> str:
    """Count the images of a dataset and name the published list that they are.

    Returns:
        str: Such as ``'92, VOC classic 92 (UniMatch, U2PL)'``; of other images of such a data set
        ``'40, no published list (SHA-256 1f0c2a9be7d3)'``, and of own data ``'40, SHA-256 1f0c2a9be7d3'``, the
        beginning of the sum of the images. Of joined datasets one for each, with ``' + '`` between.
    """
    return ' + '.join(_list_name(part) for part in plain_datasets(dataset))


def _list_name(dataset: BaseDataset) -> str:
    infos = (dataset.get_data_info(number) for number in range(len(dataset)))
    images = [str(info['img_path']) for info in infos if 'img_path' in info]
    if not images:
        return f'{len(dataset)}, of no list'
    ids, known, named = set(map(image_id, images)), recognize(images), f'SHA-256 {digest(images)[:12]}'
    if any(one.fullmatch(min(ids)) for one in IDS.values()):
        named = f'no published list ({named})'
    return f'{len(ids)}, {known.name if known else named}'

"""Name images by one rule, as the list of their dataset (``ann_file``) names them, and name the lists."""

from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

from mmengine.dataset import BaseDataset

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
    """Look up which images of a dataset a list names.

    Args:
        list_file (str): Text file of image names as in ``ann_file``, one a line. The last parts of a name will do where
            only one image has them.
        paths (Sequence[str]): Of the dataset's images.
        dataset (BaseDataset): The dataset.

    Raises:
        FileNotFoundError: If the file is missing.
        ValueError: If it is empty, or names an image that is not in the dataset, or one that may be two.
    """
    if not Path(list_file).is_file():
        raise FileNotFoundError(f'labeled_lists names {list_file}, which does not exist: make the list first.')
    lines = [line.strip() for line in Path(list_file).read_text(encoding='utf-8').splitlines() if line.strip()]
    if not lines:
        raise ValueError(f'{list_file} names no image: a peer needs at least one labeled image.')
    whole: dict[str, list[int]] = {}
    tails: dict[str, list[int]] = {}
    for number, (path, name) in enumerate(zip(paths, image_names(paths, dataset), strict=True)):
        whole.setdefault(name, []).append(number)
        for known in {name, PurePath(path).as_posix(), PurePath(path).with_suffix('').as_posix()}:
            parts = PurePath(known).parts
            for depth in range(1, len(parts) + 1):
                tails.setdefault('/'.join(parts[-depth:]), []).append(number)
    found = [sorted(set(whole.get(line) or tails.get(line, []))) for line in lines]
    strangers = [line for line, numbers in zip(lines, found, strict=True) if not numbers]
    if strangers:
        raise ValueError(
            f'{list_file} names {len(strangers)} images that are not in the labeled set, first {strangers[0]!r}: '
            'list names of the labeled ann_file.'
        )
    for line, numbers in zip(lines, found, strict=True):
        several = list(dict.fromkeys(paths[number] for number in numbers))
        if len(several) > 1:
            raise ValueError(
                f'{list_file} names {line!r}, which may be {several[0]} or {several[1]}: write the name as the labeled '
                'ann_file has it, with its folder.'
            )
    return [number for numbers in found for number in numbers]


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

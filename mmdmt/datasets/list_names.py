"""Name the lists of images that datasets hold, so that results can be compared with those on the same list."""

from typing import Any

from mmengine.dataset import BaseDataset

from mmdmt.preparation.known_lists import IDS, digest, image_id, recognize
from mmdmt.rules.joined_datasets import plain_datasets


def list_name(dataset: Any) -> str:
    """Count the images of a dataset and name the published list that they are.

    Returns:
        str: Such as ``'92, VOC classic 92 (UniMatch, U2PL)'``; of other images of such a data set
        ``'40, no published list (SHA-256 1f0c2a9be7d3)'``, and of own data ``'40, SHA-256 1f0c2a9be7d3'``, the
        beginning of the sum that the same images have elsewhere. Of joined datasets one for each, with ``' + '``
        between them.
    """
    return ' + '.join(_name(part) for part in plain_datasets(dataset))


def _name(dataset: BaseDataset) -> str:
    infos = (dataset.get_data_info(number) for number in range(len(dataset)))
    images = [str(info['img_path']) for info in infos if 'img_path' in info]
    if not images:
        return f'{len(dataset)}, of no list'
    ids, known, named = set(map(image_id, images)), recognize(images), f'SHA-256 {digest(images)[:12]}'
    if any(one.fullmatch(min(ids)) for one in IDS.values()):
        named = f'no published list ({named})'
    return f'{len(ids)}, {known.name if known else named}'

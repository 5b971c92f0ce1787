"""Recognize the lists of images that published results were made with.

Lists of equal size are not equal lists: Cityscapes 1/8 of UniMatch and of U2PL are other images. A list is known by the
SHA-256 of its sorted ids, each with a newline, whatever its order, folders and suffixes. ``known_lists.json`` holds
these sums: of UniMatch and U2PL (VOC classic and blended, Cityscapes), of DMT, and of our tables of CamVid.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

#: What the ids of data sets look like.
IDS = {'voc12aug': re.compile(r'\d{4}_\d{6}'), 'cityscapes': re.compile(r'[a-z-]+_\d{6}_\d{6}')}


@dataclass(frozen=True)
class KnownList:
    """A list such as ``'VOC classic 92 (UniMatch, U2PL)'``, kept as ``classic/labeled_92.txt`` of ``'voc12aug'``."""

    dataset: str
    file: str
    name: str
    count: int


def image_id(image: str) -> str:
    """Return the file name of an image without folder and suffix, such as ``jena_000078_000019``."""
    return PurePosixPath(image.replace('\\', '/')).stem.removesuffix('_leftImg8bit')


def digest(images: Iterable[str]) -> str:
    """Return the SHA-256 of the sorted ids of images, each with a newline."""
    return hashlib.sha256(''.join(f'{one}\n' for one in sorted(set(map(image_id, images)))).encode()).hexdigest()


def recognize(images: Iterable[str]) -> KnownList | None:
    """Return the published list that some images are, or None of an unknown one."""
    return known_lists().get(digest(images))


@cache
def known_lists() -> Mapping[str, KnownList]:
    """Read the known lists by their sums."""
    table = json.loads(Path(__file__).with_suffix('.json').read_text(encoding='utf-8'))
    return {
        known['sha256']: KnownList(dataset, file, known['name'], known['count'])
        for dataset, lists in table.items()
        for file, known in lists.items()
    }

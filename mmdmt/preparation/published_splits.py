"""Make the published lists of VOC and Cityscapes, and compare lists with those that were published.

``published_splits.json`` holds the number of images and the SHA-256 of the published files, 60 of the paper and 22 of
our tables of CamVid, by name. Order and final newline count, so the sum is that of the file.
"""

import hashlib
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmdmt.preparation.image_lists import list_content
from mmdmt.preparation.splits import Split, nested, shuffles_of, sizes_of, sorted_once

PUBLISHED_DENOMINATORS: Mapping[str, Mapping[str, float]] = {
    'voc12aug': {'1': 1, '2': 2, '4': 4, '8': 8, '20': 20, '50': 50, '106': 105.82},
    'cityscapes': {'1': 1, '2': 2, '4': 4, '8': 8, '20': 20, '30': 29.75},
}
PUBLISHED_SEED = 7777
PUBLISHED_SPLIT_IDS = 3


@dataclass(frozen=True)
class PublishedList:
    """Number of images of a published list, and the SHA-256 of its file."""

    count: int
    sha256: str


def published_splits(ids: Iterable[str], denominators: Mapping[str, float]) -> dict[tuple[int, str], Split]:
    """Split a data set as the authors of Dynamic Mutual Training did.

    The sorted images are shuffled once for each of the three split ids, each time from the order before. Of N images,
    1/s is the first int(N / s), and one more where n % 8 is 1, a last batch of a single image.

    Feng et al., "DMT: Dynamic Mutual Training for Semi-Supervised Learning", Pattern Recognition 130 (2022),
    https://arxiv.org/abs/2004.08514.

    Args:
        ids: The images, in any order.
        denominators: The s of each fraction 1/s, at least 1, by the name that it goes by: 1/106 of VOC is
            ``{'106': 105.82}``.

    Returns:
        The split of each split id (0, 1, 2) and name, the names in the order given.

    Raises:
        ValueError: If an image is given twice, or a denominator is below 1 or leaves no labeled image.
    """
    images = sorted_once(ids)
    sizes = {name: n + (n % 8 == 1) for name, n in sizes_of(len(images), denominators).items()}
    return nested(shuffles_of(images, PUBLISHED_SEED, PUBLISHED_SPLIT_IDS), sizes)


def difference_maximized(
    labeled_lists: Iterable[Sequence[str]], seed: int = PUBLISHED_SEED
) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Give each of two peers its own part of a labeled set: difference-maximized sampling, DMS.

    Three fifths of the images are common to both parts; of the others, one half goes to each. One generator goes
    through all lists, of split id 0 (1/8, 1/20, 1/50, 1/106 of VOC), then of 1 and 2: a part depends on those before.

    Args:
        labeled_lists: Labeled lists, of two images at least, in the order of `published_splits`.
        seed: Seed of the shuffles. Default: 7777, the published one.

    Returns:
        The left and the right part of each list.

    Raises:
        ValueError: If a list has fewer than two images.
    """
    generator, parts = random.Random(seed), []
    for labeled in labeled_lists:
        if len(labeled) < 2:
            raise ValueError(f'the labeled list {list(labeled)} cannot be shared by two peers: it needs 2 images.')
        order = list(labeled)
        generator.shuffle(order)
        own = -(-len(order) // 5)  # a fifth, rounded up
        parts.append((tuple(order[: len(order) - own]), tuple(order[own:])))
    return parts


def sbd_lists(train: Iterable[str], trainaug: Iterable[str]) -> Split:
    """Label the images of VOC's ``train.txt``, and leave those that SBD adds without labels, 1464 and 9118.

    Raises:
        ValueError: If an image is given twice, or is in ``train`` only.
    """
    labeled, both = sorted_once(train), sorted_once(trainaug)
    strangers = sorted(set(labeled) - set(both))
    if strangers:
        raise ValueError(
            f'{len(strangers)} images of train are not in trainaug, such as {strangers[0]!r}: '
            'the two lists are not of the same data set.'
        )
    return Split(tuple(labeled), tuple(sorted(set(both) - set(labeled))))


def published_lists(dataset: str) -> dict[str, PublishedList]:
    """Return what is known of the published lists of a data set, by the names of `as_files`."""
    table = json.loads(Path(__file__).with_name('published_splits.json').read_text())
    return {file: PublishedList(**known) for file, known in table[dataset].items()}


def differences(files: Mapping[str, Sequence[str]], published: Mapping[str, PublishedList]) -> dict[str, str]:
    """Return how the lists of files differ from the published ones of the same names; empty if all match."""
    found = {}
    for file, known in published.items():
        if file not in files:
            found[file] = 'no counterpart'
        elif len(files[file]) != known.count:
            found[file] = f'{len(files[file])} images, the published list {known.count}'
        elif hashlib.sha256(list_content(files[file])).hexdigest() != known.sha256:
            found[file] = f'{known.count} images, as many as the published list, but others, or by other names'
    return found

"""Make lists of labeled and unlabeled images: the published ones, and those of a user's own data.

A list is a text file that MMSegmentation reads as ``ann_file``: one image a line, as its path in the image folder
without the suffix. What `published_splits` makes is compared with ``published_splits.json``: number of images and
SHA-256 of the published files, 60 of the paper and 16 of our table of CamVid, by name. Order and final newline count,
so the sum is that of the file.
"""

import hashlib
import json
import random
import re
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import NamedTuple

from mmdmt.preparation.image_lists import list_content

PUBLISHED_DENOMINATORS: Mapping[str, Mapping[str, float]] = {
    'voc12aug': {'1': 1, '2': 2, '4': 4, '8': 8, '20': 20, '50': 50, '106': 105.82},
    'cityscapes': {'1': 1, '2': 2, '4': 4, '8': 8, '20': 20, '30': 29.75},
}
PUBLISHED_SEED = 7777
PUBLISHED_SPLIT_IDS = 3


class Split(NamedTuple):
    """Images with and without a label; together the whole set, none in both."""

    labeled: tuple[str, ...]
    unlabeled: tuple[str, ...]


@dataclass(frozen=True)
class PublishedList:
    """Number of images of a published list, and the SHA-256 of its file."""

    count: int
    sha256: str


def published_splits(ids: Iterable[str], denominators: Mapping[str, float]) -> dict[tuple[int, str], Split]:
    """Split a data set as the authors of Dynamic Mutual Training did.

    The sorted images are shuffled once for each of the three split ids, each time from the order before. The first n
    are labeled, so within a split id the labeled images of a smaller fraction are among those of a larger one. Of N
    images, 1/s is n = int(N / s), and one more where n % 8 is 1, a last batch of a single image.

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
    images = _sorted_once(ids)
    sizes = {name: n + (n % 8 == 1) for name, n in _sizes(len(images), denominators).items()}
    return _nested(_shuffles(images, PUBLISHED_SEED, PUBLISHED_SPLIT_IDS), sizes)


def generic_split(
    ids: Iterable[str],
    denominators: Mapping[str, float],
    seed: int = 0,
    num_splits: int = 3,
    strata: Mapping[str, Hashable] | None = None,
    groups: Mapping[str, str] | None = None,
) -> dict[tuple[int, str], Split]:
    """Split any data set at random, nested as the published splits are.

    Args:
        ids: The images, in any order.
        denominators: The s of each fraction 1/s, at least 1, by the name that it goes by. int(N / s) are labeled.
        seed: Seed of the shuffles. Default: 0.
        num_splits: Number of split ids. Those of a smaller number are among those of a larger one. Default: 3.
        strata: The stratum of each image. Every labeled set then holds its share of each stratum, and one image of
            each at least, if there are as many labeled images as strata. Default: None, one stratum.
        groups: The group of each image, such as its video: as for `sized_split`. Default: None.

    Returns:
        The split of each split id (0 to ``num_splits`` - 1) and name, the names in the order given.

    Raises:
        ValueError: If an image is given twice or has no stratum, or a denominator is below 1 or leaves no labeled
            image, or there is no split id.
    """
    images = _sorted_once(ids)
    return sized_split(images, _sizes(len(images), denominators), seed, num_splits, strata, groups)


def sized_split(
    ids: Iterable[str],
    sizes: Mapping[str, int],
    seed: int = 0,
    num_splits: int = 3,
    strata: Mapping[str, Hashable] | None = None,
    groups: Mapping[str, str] | None = None,
) -> dict[tuple[int, str], Split]:
    """Split any data set at random into numbers of labeled images, nested as the published splits are.

    Args:
        ids: The images, in any order.
        sizes: The number of labeled images of each split, by the name that it goes by.
        seed: Seed of the shuffles. Default: 0.
        num_splits: Number of split ids. Those of a smaller number are among those of a larger one. Default: 3.
        strata: As for `generic_split`; with groups the stratum of each group. Default: None, one stratum.
        groups: The group of each image, such as its video or volume. A group is labeled as a whole or not at all; the
            number of labeled images is then the nearest that whole groups make. Default: None, each its own.

    Returns:
        The split of each split id (0 to ``num_splits`` - 1) and name, the names in the order given.

    Raises:
        ValueError: If an image is given twice, an image or group has no stratum, a size is not in 1..N, there is no
            split id, or all images are of one group.
    """
    if num_splits < 1:
        raise ValueError(f'num_splits={num_splits} makes no list: give at least 1.')
    images = _sorted_once(ids)
    for size in sizes.values():
        if not 1 <= size <= len(images):
            raise ValueError(f'{size} of {len(images)} images is not a labeled set: give 1 to {len(images)}.')
    units = {image: image for image in images} if groups is None else {image: groups[image] for image in images}
    members: dict[str, list[str]] = {}
    for image, unit in units.items():
        members.setdefault(unit, []).append(image)
    if groups is not None and len(members) < 2:
        raise ValueError(f'All {len(images)} images are of the group {next(iter(members))!r}: give a finer --group.')
    shuffles = _shuffles(sorted(members), seed, num_splits)
    if strata is not None:
        without = [unit for unit in members if unit not in strata]
        if without:
            raise ValueError(f'{len(without)} images have no stratum, such as {without[0]!r}: give one to each.')
        shuffles = (_spread(order, strata) for order in shuffles)
    return _nested(shuffles, sizes, members)


def difference_maximized(
    labeled_lists: Iterable[Sequence[str]], seed: int = PUBLISHED_SEED
) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Give each of two peers its own part of a labeled set: difference-maximized sampling, DMS.

    Three fifths of the images are common to both parts; of the others, one half goes to each.

    The published parts come from one generator that goes through the labeled lists of split id 0 (1/8, 1/20, 1/50,
    1/106 of VOC), then of 1, then of 2. So a part depends on the lists before its own.

    Args:
        labeled_lists: Labeled lists, of two images at least, in the order of `published_splits`.
        seed: Seed of the shuffles. Default: 7777, the published one.

    Returns:
        The left and the right part of each list.

    Raises:
        ValueError: If a list has fewer than two images.
    """
    generator = random.Random(seed)
    parts = []
    for labeled in labeled_lists:
        if len(labeled) < 2:
            raise ValueError(f'the labeled list {list(labeled)} cannot be shared by two peers: it needs 2 images.')
        order = list(labeled)
        generator.shuffle(order)
        own = -(-len(order) // 5)  # a fifth, rounded up
        parts.append((tuple(order[: len(order) - own]), tuple(order[own:])))
    return parts


def sbd_lists(train: Iterable[str], trainaug: Iterable[str]) -> Split:
    """Label the images of the VOC challenge, and leave those that SBD adds without labels.

    Args:
        train: The images of VOC's ``train.txt``.
        trainaug: These and the ones of SBD.

    Returns:
        Both parts, sorted: 1464 and 9118 images of VOC 2012.

    Raises:
        ValueError: If an image is given twice, or is in ``train`` only.
    """
    labeled, both = _sorted_once(train), _sorted_once(trainaug)
    strangers = sorted(set(labeled) - set(both))
    if strangers:
        raise ValueError(
            f'{len(strangers)} images of train are not in trainaug, such as {strangers[0]!r}: '
            'the two lists are not of the same data set.'
        )
    return Split(tuple(labeled), tuple(sorted(set(both) - set(labeled))))


def rarest_class(classes: Mapping[str, Collection[int]]) -> dict[str, int]:
    """Give each image a stratum: of the classes in it, the one that the fewest images have.

    Args:
        classes: The classes in each image.

    Returns:
        That class for each image (the smaller of two equally rare ones); -1 for an image without any.
    """
    images = Counter(label for labels in classes.values() for label in set(labels))
    return {
        image: min(labels, key=lambda label: (images[label], label), default=-1) for image, labels in classes.items()
    }


def group_of(ids: Iterable[str], pattern: str) -> dict[str, str]:
    """Group images by a part of their names.

    Args:
        ids: The images.
        pattern: A regular expression that is searched in each name; the group is what its first pair of parentheses
            matched, or the whole match if it has none: ``'(.*)_frame'``.

    Returns:
        The group of each image.

    Raises:
        ValueError: If the expression is none, or does not match an image.
    """
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise ValueError(f'{pattern!r} is not a regular expression ({error}): mend --group.') from None
    found = {image: expression.search(image) for image in ids}
    without = [image for image, match in found.items() if match is None]
    if without:
        raise ValueError(
            f'--group {pattern!r} matches {len(found) - len(without)} of {len(found)} images, and not {without[0]!r}: '
            'give an expression that every name has, such as "(.*)_[0-9]+$".'
        )
    return {image: match[1] if expression.groups else match[0] for image, match in found.items() if match}


def as_files(splits: Mapping[tuple[int, str], Split], before: str = '1of') -> dict[str, tuple[str, ...]]:
    """Name the lists of splits.

    Args:
        splits: What `published_splits`, `generic_split` or `sized_split` returned.
        before: What stands before the name of a split. Default: ``'1of'``.

    Returns:
        The images of each file, such as ``split0/labeled_1of8.txt`` and ``split0/unlabeled_1of8.txt``. A part without
        images gets no file.
    """
    files = {}
    for (split_id, name), split in splits.items():
        for part, images in split._asdict().items():
            if images:
                files[f'split{split_id}/{part}_{before}{name}.txt'] = images
    return files


def published_lists(dataset: str) -> dict[str, PublishedList]:
    """Return what is known of the published lists of a data set.

    Args:
        dataset: ``'voc12aug'`` or ``'cityscapes'``.

    Returns:
        Number of images and SHA-256 of each file, by the names of `as_files`.
    """
    table = json.loads(Path(__file__).with_name('published_splits.json').read_text())
    return {file: PublishedList(**known) for file, known in table[dataset].items()}


def differences(files: Mapping[str, Sequence[str]], published: Mapping[str, PublishedList]) -> dict[str, str]:
    """Compare lists with the published ones.

    Args:
        files: The images of each file.
        published: What is known of the published files. Other files are not compared.

    Returns:
        What differs, for each published file that is not matched; empty if all are.
    """
    found = {}
    for file, known in published.items():
        if file not in files:
            found[file] = 'no counterpart'
        elif len(files[file]) != known.count:
            found[file] = f'{len(files[file])} images, the published list {known.count}'
        elif hashlib.sha256(list_content(files[file])).hexdigest() != known.sha256:
            found[file] = f'{known.count} images, as many as the published list, but others, or by other names'
    return found


def _sorted_once(ids: Iterable[str]) -> list[str]:
    """Sort images after checking that none is given twice."""
    images = sorted(ids)
    twice = [image for image, next_image in pairwise(images) if image == next_image]
    if twice:
        raise ValueError(f'{len(twice)} images are listed twice, such as {twice[0]!r}: list each once.')
    return images


def _sizes(total: int, denominators: Mapping[str, float]) -> dict[str, int]:
    """Return int(total / s) for each denominator, after checking it."""
    for name, denominator in denominators.items():
        if not 1 <= denominator <= total:
            raise ValueError(
                f'1/{name} of {total} images is not a labeled set: give denominators from 1 to the number of images.'
            )
    return {name: int(total / denominator) for name, denominator in denominators.items()}


def _shuffles(images: Sequence[str], seed: int, number: int) -> Iterator[list[str]]:
    """Shuffle again and again, each time from the order before."""
    generator = random.Random(seed)
    order = list(images)
    for _ in range(number):
        generator.shuffle(order)
        yield list(order)


def _spread(order: Sequence[str], strata: Mapping[str, Hashable]) -> list[str]:
    """Reorder so that the first images of any number hold every stratum's share, rounded up where there is room."""
    sizes = Counter(strata[image] for image in order)
    seen: Counter[Hashable] = Counter()
    place = {}
    for image in order:
        stratum = strata[image]
        place[image] = seen[stratum] / sizes[stratum]
        seen[stratum] += 1
    return sorted(order, key=place.__getitem__)


def _nested(
    orders: Iterable[Sequence[str]], sizes: Mapping[str, int], members: Mapping[str, Sequence[str]] | None = None
) -> dict[tuple[int, str], Split]:
    """Label the first images of each order, those of one group together."""
    splits = {}
    for split_id, order in enumerate(orders):
        images = [image for unit in order for image in (members[unit] if members else [unit])]
        ends = list(accumulate(len(members[unit]) if members else 1 for unit in order))
        for name, size in sizes.items():
            end = min(ends, key=lambda number, size=size: abs(number - size))  # type: ignore[misc]
            splits[split_id, name] = Split(tuple(images[:end]), tuple(images[end:]))
    return splits

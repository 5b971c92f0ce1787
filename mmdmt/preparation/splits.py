"""Make lists of labeled and unlabeled images of a user's own data.

A list is a text file that MMSegmentation reads as ``ann_file``: one image a line, as its path in the image folder
without the suffix.
"""

import random
import re
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Split(NamedTuple):
    """Images with and without a label; together the whole set, none in both."""

    labeled: tuple[str, ...]
    unlabeled: tuple[str, ...]


def sized_split(
    ids: Iterable[str],
    sizes: Mapping[str, int],
    seed: int = 0,
    num_splits: int = 3,
    strata: Mapping[str, Hashable] | None = None,
    groups: Mapping[str, str] | None = None,
) -> dict[tuple[int, str], Split]:
    """Split any data set at random, nested as the published splits are.

    Args:
        ids: The images, in any order.
        sizes: The number of labeled images of each split, by its name.
        seed: Of the shuffles. Default: 0.
        num_splits: Number of split ids; more keep those of fewer. Default: 3.
        strata: The stratum of each image, or of each group. Every labeled set holds its share of each, one at least
            where there is room. Default: None, one stratum.
        groups: The group of each image, such as its video, which is labeled as a whole or not at all; the number of
            labeled images is then the nearest that whole groups make. Default: None, each its own.

    Returns:
        The split of each split id (0 to ``num_splits`` - 1) and name.

    Raises:
        ValueError: If an image is given twice, an image or group has no stratum, a size is not in 1..N, there is no
            split id, or all images are of one group.
    """
    if num_splits < 1:
        raise ValueError(f'num_splits={num_splits} makes no list: give at least 1.')
    images = sorted_once(ids)
    for size in sizes.values():
        if not 1 <= size <= len(images):
            raise ValueError(f'{size} of {len(images)} images cannot be labeled: give 1 to {len(images)}.')
    members: dict[str, list[str]] = {}
    for image in images:
        members.setdefault(groups[image] if groups is not None else image, []).append(image)
    if groups is not None and len(members) < 2:
        raise ValueError(f'All {len(images)} images are of the group {next(iter(members))!r}: give a finer --group.')
    shuffles = shuffles_of(sorted(members), seed, num_splits)
    if strata is not None:
        without = [unit for unit in members if unit not in strata]
        if without:
            raise ValueError(f'{len(without)} images have no stratum, such as {without[0]!r}: give one to each.')
        shuffles = (_spread(order, strata) for order in shuffles)
    return nested(shuffles, sizes, members)


def split_classes(
    labels: ArrayLike, labels_per_class: int, val_per_class: int, seed: int
) -> dict[str, NDArray[np.intp]]:
    """Split images so that every class has as many labeled and as many validation images.

    More labels keep those of fewer; the validation images do not depend on the number of labels.

    Returns:
        Numbers of the images, ascending: ``'labeled'``, ``'unlabeled'``, ``'val'`` and ``'train'``, the first two.

    Raises:
        ValueError: If a class has too few images.
    """
    if labels_per_class < 1 or val_per_class < 0:
        raise ValueError(
            f'labels_per_class={labels_per_class}, val_per_class={val_per_class} make no split: give at least one '
            'label, and no negative number of images.'
        )
    generator = np.random.RandomState(seed)  # whose numbers no version of NumPy changes
    of_class = [generator.permutation(np.flatnonzero(np.asarray(labels) == label)) for label in np.unique(labels)]
    fewest = min(len(images) for images in of_class)
    if labels_per_class + val_per_class > fewest:
        raise ValueError(
            f'labels_per_class={labels_per_class} and val_per_class={val_per_class} ask for '
            f'{labels_per_class + val_per_class} images of every class, but one has only {fewest}: give less.'
        )
    parts = [np.split(images, [labels_per_class, len(images) - val_per_class]) for images in of_class]
    labeled, unlabeled, val = (np.sort(np.concatenate(part)) for part in zip(*parts, strict=True))
    train = np.sort(np.concatenate([labeled, unlabeled]))
    return {'labeled': labeled, 'unlabeled': unlabeled, 'val': val, 'train': train}


def rarest_class(classes: Mapping[str, Collection[int]]) -> dict[str, int]:
    """Give each image a stratum: of the classes in it, the one that the fewest images have, -1 for none."""
    images = Counter(label for labels in classes.values() for label in set(labels))
    return {
        image: min(labels, key=lambda label: (images[label], label), default=-1) for image, labels in classes.items()
    }


def drawn(
    ids: Sequence[str],
    size: int,
    seed: int = 0,
    classes: Mapping[str, Collection[int]] | None = None,
    groups: Mapping[str, str] | None = None,
) -> tuple[list[str], list[str]]:
    """Draw some of many images, with their share of rare ``classes``, in whole ``groups``; return them and the rest."""
    split = sized_split(ids, {'': size}, seed, 1, strata_of(ids, classes, groups), groups)[0, '']
    return sorted(split.labeled), sorted(split.unlabeled)


def strata_of(
    ids: Iterable[str], classes: Mapping[str, Collection[int]] | None, groups: Mapping[str, str] | None
) -> dict[str, int] | None:
    """Give each image, or each group, its rarest class; None without ``classes``."""
    if classes is None:
        return None
    held: dict[str, set[int]] = {}
    for image in ids:
        held.setdefault(groups[image] if groups else image, set()).update(classes[image])
    return rarest_class(held)


def held_out(
    ids: Sequence[str],
    val: float,
    seed: int = 0,
    classes: Mapping[str, Collection[int]] | None = None,
    groups: Mapping[str, str] | None = None,
) -> tuple[list[str], list[str]]:
    """Draw 1/``val`` of some images to validate on; return them and the rest.

    Raises:
        ValueError: If all or none would be drawn.
    """
    if len(ids) < 2:
        raise ValueError(f'{len(ids)} mask is too few to train and validate with: give at least 2.')
    if not 1 < val <= len(ids):
        raise ValueError(
            f'--val {val:g} holds 1/{val:g} of {len(ids)} images with masks out: give more than 1 and at most '
            f'{len(ids)}.'
        )
    chosen, rest = drawn(ids, int(len(ids) / val), seed, classes, groups)
    if not rest:
        raise ValueError(f'--val {val:g} holds all images with masks out, as their groups are large: give more.')
    return chosen, rest


def group_of(ids: Iterable[str], pattern: str) -> dict[str, str]:
    """Group images by what the first parentheses of a regular expression match in their names, or by the whole match.

    Raises:
        ValueError: If the expression cannot be compiled, or does not match an image.

    Example:
        >>> group_of(['walk_frame1', 'walk_frame2'], '(.*)_frame')
        {'walk_frame1': 'walk', 'walk_frame2': 'walk'}
    """
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise ValueError(f'--group must be a regular expression, got {pattern!r} ({error}).') from None
    found = {image: expression.search(image) for image in ids}
    without = [image for image, match in found.items() if match is None]
    if without:
        raise ValueError(
            f'--group {pattern!r} matches {len(found) - len(without)} of {len(found)} images, and not {without[0]!r}: '
            'give an expression that every name has, such as "(.*)_[0-9]+$".'
        )
    return {image: match[1] if expression.groups else match[0] for image, match in found.items() if match}


def as_files(splits: Mapping[tuple[int, str], Split], before: str = '1of') -> dict[str, tuple[str, ...]]:
    """Name the lists of splits, such as ``split0/labeled_1of8.txt``; a part without images gets no file."""
    return {
        f'split{split_id}/{part}_{before}{name}.txt': images
        for (split_id, name), split in splits.items()
        for part, images in split._asdict().items()
        if images
    }


def sorted_once(ids: Iterable[str]) -> list[str]:
    """Sort images after checking that none is given twice."""
    images = sorted(ids)
    twice = [image for image, next_image in pairwise(images) if image == next_image]
    if twice:
        raise ValueError(f'{len(twice)} images are listed twice, such as {twice[0]!r}: list each once.')
    return images


def sizes_of(total: int, denominators: Mapping[str, float]) -> dict[str, int]:
    """Return int(total / s) for each denominator, after checking it."""
    for name, denominator in denominators.items():
        if not 1 <= denominator <= total:
            raise ValueError(
                f'1/{name} of {total} images must be one or more: give denominators from 1 to the number of images.'
            )
    return {name: int(total / denominator) for name, denominator in denominators.items()}


def shuffles_of(images: Sequence[str], seed: int, number: int) -> Iterator[list[str]]:
    """Shuffle again and again, each time from the order before."""
    generator, order = random.Random(seed), list(images)
    for _ in range(number):
        generator.shuffle(order)
        yield list(order)


def _spread(order: Sequence[str], strata: Mapping[str, Hashable]) -> list[str]:
    """Reorder so that the first images of any number hold every stratum's share, rounded up where there is room."""
    sizes, seen = Counter(strata[image] for image in order), Counter[Hashable]()
    place = {}
    for image in order:
        stratum = strata[image]
        place[image] = seen[stratum] / sizes[stratum]
        seen[stratum] += 1
    return sorted(order, key=place.__getitem__)


def nested(
    orders: Iterable[Sequence[str]], sizes: Mapping[str, int], members: Mapping[str, Sequence[str]] | None = None
) -> dict[tuple[int, str], Split]:
    """Label the first images of each order, those of one group together."""
    splits = {}
    for split_id, order in enumerate(orders):
        units = [members[unit] if members else [unit] for unit in order]
        images, ends = [image for unit in units for image in unit], list(accumulate(map(len, units)))
        for name, size in sizes.items():
            end = min(ends, key=lambda number, size=size: abs(number - size))  # type: ignore[misc]
            splits[split_id, name] = Split(tuple(images[:end]), tuple(images[end:]))
    return splits

"""Make the lists of published tables: of VOC and Cityscapes as their authors did, and those of our own tables.

``small_lists.json`` names images of VOC animals and Kvasir-SEG: those to validate on (``val``), those that the official
lists train on (``train``), those that come on top without labels (``more``), and of each split the labeled ones.
"""

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mmdmt.preparation.splits import Split, as_files, nested, shuffles_of, sized_split, sizes_of, sorted_once

PUBLISHED_DENOMINATORS: Mapping[str, Mapping[str, float]] = {
    'voc12aug': {'1': 1, '2': 2, '4': 4, '8': 8, '20': 20, '50': 50, '106': 105.82},
    'cityscapes': {'1': 1, '2': 2, '4': 4, '8': 8, '20': 20, '30': 29.75},
}
PUBLISHED_SEED = 7777
PUBLISHED_SPLIT_IDS = 3
#: The fraction from which on labeled sets are small enough for peers to be warmed up on parts of them.
DMS_DENOMINATOR = 8
CAMVID_COUNTS = (10, 30, 92)
SMALL_COUNTS = {'voc_animals': (35, 70), 'kvasir': (25, 50, 100)}
#: How the names of CamVid's drive at dusk begin; the other two drives of the training set are by day.
DUSK = '0001TP'


def published_splits(ids: Iterable[str], denominators: Mapping[str, float]) -> dict[tuple[int, str], Split]:
    """Split a data set as the authors of Dynamic Mutual Training did.

    The sorted images are shuffled once for each of the three split ids, each time from the order before. Of N images,
    1/s is the first int(N / s), and one more where n % 8 is 1, a last batch of a single image.

    Feng et al., "DMT: Dynamic Mutual Training for Semi-Supervised Learning", Pattern Recognition 130 (2022),
    https://arxiv.org/abs/2004.08514.

    Args:
        ids: The images, in any order.
        denominators: The s of each fraction 1/s, at least 1, by its name: ``{'106': 105.82}`` is 1/106 of VOC.

    Returns:
        The split of each split id (0, 1, 2) and name.

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
        labeled_lists: In the order of `published_splits`.
        seed: Of the shuffles. Default: 7777, the published one.

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


def with_parts(
    splits: Mapping[tuple[int, str], Split], seed: int = PUBLISHED_SEED, before: str = '1of'
) -> dict[str, tuple[str, ...]]:
    """Name the lists of splits, and of each labeled set of an eighth or less the parts of two peers.

    Returns:
        The images of each file: `as_files`, and ``split0/dms_left_1of8.txt`` and ``dms_right_1of8.txt``.
    """
    files = as_files(splits, before)
    few = {
        key: split.labeled
        for key, split in splits.items()
        if len(split.labeled) > 1 and (DMS_DENOMINATOR - 1) * len(split.labeled) <= len(split.unlabeled)
    }
    for (split_id, name), parts in zip(few, difference_maximized(few.values(), seed), strict=True):
        for side, images in zip(('left', 'right'), parts, strict=True):
            files[f'split{split_id}/dms_{side}_{before}{name}.txt'] = images
    return files


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


def camvid_lists(ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Make the lists of CamVid: 10, 30 and 92 labels in three splits, and from day to dusk.

    Each split id is its seed. The images at dusk are halved in time, because frames of one second after the other look
    alike.

    Returns:
        The images of each file, sorted: ``split0/labeled_30.txt``, ``split0/unlabeled_30.txt`` and so on,
        ``day2dusk/day.txt``, ``dusk.txt``, ``dusk_val.txt`` and ``day_and_dusk.txt``, the first two together.

    Raises:
        ValueError: If an image is given twice, or there are not enough, or none at dusk or by day.
    """
    images = sorted(ids)
    sizes = {str(count): count for count in CAMVID_COUNTS}
    made = {
        (split_id, name): Split(tuple(sorted(split.labeled)), tuple(sorted(split.unlabeled)))
        for split_id in range(3)
        for (_, name), split in sized_split(images, sizes, seed=split_id, num_splits=1).items()
    }
    dusk = tuple(image for image in images if image.startswith(DUSK))
    day = tuple(image for image in images if not image.startswith(DUSK))
    if not day or len(dusk) < 2:
        raise ValueError(
            f'{len(day)} images by day and {len(dusk)} at dusk (names from {DUSK}) make no lists from day to dusk: '
            'give the training images of CamVid.'
        )
    first, last = dusk[: len(dusk) // 2], dusk[len(dusk) // 2 :]
    shift = {'day': day, 'dusk': first, 'dusk_val': last, 'day_and_dusk': tuple(sorted((*day, *first)))}
    return {**as_files(made, ''), **{f'day2dusk/{name}.txt': images for name, images in shift.items()}}


def small_lists(name: str) -> dict[str, list[str]]:
    """Return the lists of ``'voc_animals'`` or ``'kvasir'``.

    Returns:
        The images of each file: ``val.txt``, ``all.txt`` (what is not validated on), ``split0/labeled_35.txt``,
        ``split0/unlabeled_35.txt`` and so on, ``labeled_all.txt`` and ``unlabeled_all.txt``, which has one image, as a
        run needs one.
    """
    told = json.loads((Path(__file__).parent / 'small_lists.json').read_text())[name]
    names = {part: text.split() for part, text in told.items()}
    pool = sorted(names['train'] + names.get('more', []))
    files = {'val.txt': names['val'], 'all.txt': pool, 'labeled_all.txt': pool[:-1], 'unlabeled_all.txt': pool[-1:]}
    for split in (part for part in names if part.startswith('split')):
        for count in SMALL_COUNTS[name]:
            labeled = names[split][:count]
            files[f'{split}/labeled_{count}.txt'] = labeled
            files[f'{split}/unlabeled_{count}.txt'] = sorted({*pool} - {*labeled})
    return files

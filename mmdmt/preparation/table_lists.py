"""The lists of our tables: of CamVid, made from its images; of VOC animals and Kvasir-SEG, by name.

``small_lists.json`` holds names alone: of the images to validate on, of those that the official lists train on
(``train``), of those that come on top without labels (``more``), and of each split the labeled ones, nested.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from mmdmt.preparation.splits import Split, as_files, sized_split

CAMVID_COUNTS = (10, 30, 92)
SMALL_COUNTS = {'voc_animals': (35, 70), 'kvasir': (25, 50, 100)}
#: How the names of CamVid's drive at dusk begin; the other two drives of the training set are by day.
DUSK = '0001TP'


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
        The names of each file: ``val.txt``, ``all.txt`` (what is not validated on), ``split0/labeled_35.txt`` and
        ``split0/unlabeled_35.txt``, and so on for each split and number of labels, and ``labeled_all.txt`` and
        ``unlabeled_all.txt``, the last of which has one image, as a run needs one.
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

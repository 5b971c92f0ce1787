"""The lists of our tables of CamVid: 10, 30 and 92 labels, and from day to dusk."""

from collections.abc import Iterable

from mmdmt.preparation.splits import Split, as_files, sized_split

COUNTS = (10, 30, 92)
SPLIT_IDS = 3
#: How the names of a drive at dusk begin; the other two drives of the training set are by day.
DUSK = '0001TP'


def camvid_lists(ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Make the lists of labeled and unlabeled images.

    The images of a split id are shuffled with the id as seed, and the first n are labeled, so the labeled images of a
    smaller number are among those of a larger one. The images at dusk are halved in time: frames of one second after
    the other look alike, and halves drawn at random would be nearly the same images.

    Returns:
        The images of each file, sorted: ``split0/labeled_30.txt``, ``split0/unlabeled_30.txt`` and so on,
        ``day2dusk/day.txt``, ``dusk.txt``, ``dusk_val.txt`` and ``day_and_dusk.txt``, the first two together.

    Raises:
        ValueError: If an image is given twice, or there are not enough, or none at dusk or by day.
    """
    images = sorted(ids)
    sizes = {str(count): count for count in COUNTS}
    made = {
        (split_id, name): Split(tuple(sorted(split.labeled)), tuple(sorted(split.unlabeled)))
        for split_id in range(SPLIT_IDS)
        for (_, name), split in sized_split(images, sizes, seed=split_id, num_splits=1).items()
    }
    dusk = tuple(image for image in images if image.startswith(DUSK))
    day = tuple(image for image in images if not image.startswith(DUSK))
    if not day or len(dusk) < 2:
        raise ValueError(
            f'{len(day)} images by day and {len(dusk)} at dusk (names from {DUSK}) make no lists from day to dusk: '
            'give the training images of CamVid.'
        )
    half = len(dusk) // 2
    first, last = dusk[:half], dusk[half:]
    shift = {'day': day, 'dusk': first, 'dusk_val': last, 'day_and_dusk': tuple(sorted((*day, *first)))}
    return {**as_files(made, ''), **{f'day2dusk/{name}.txt': images for name, images in shift.items()}}

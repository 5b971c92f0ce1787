"""Split images into labeled, unlabeled and validation images, class by class."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def split_classes(
    labels: ArrayLike, labels_per_class: int, val_per_class: int, seed: int
) -> dict[str, NDArray[np.intp]]:
    """Split images so that every class has as many labeled and as many validation images.

    The images of each class are shuffled; the last are to validate on, the first labeled, all others unlabeled. So
    more labels keep those of fewer, and the validation images do not depend on how many labels there are.

    Returns:
        Numbers of the images, ascending: ``'labeled'``, ``'unlabeled'``, ``'val'``, and ``'train'``, the first two
        together.

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
    train = [images[: len(images) - val_per_class] for images in of_class]
    split = {
        'labeled': [images[:labels_per_class] for images in train],
        'unlabeled': [images[labels_per_class:] for images in train],
        'val': [images[len(images) - val_per_class :] for images in of_class],
        'train': train,
    }
    return {part: np.sort(np.concatenate(images)) for part, images in split.items()}

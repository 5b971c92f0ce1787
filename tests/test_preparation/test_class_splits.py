"""Splits class by class."""

import numpy as np
import pytest

from mmdmt.preparation.class_splits import split_classes

LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(10), 50))


def split(labels_per_class=10, val_per_class=5, seed=1):
    return split_classes(LABELS, labels_per_class, val_per_class, seed)


def test_every_class_has_as_many_images_in_every_part():
    parts = split()
    for part, count in {'labeled': 10, 'unlabeled': 35, 'val': 5, 'train': 45}.items():
        assert np.bincount(LABELS[parts[part]]).tolist() == [count] * 10


def test_every_image_is_in_one_part():
    parts = split()
    together = np.concatenate([parts[part] for part in ('labeled', 'unlabeled', 'val')])
    assert sorted(together) == list(range(500))
    assert sorted([*parts['labeled'], *parts['unlabeled']]) == parts['train'].tolist()


def test_more_labels_keep_those_of_fewer_and_the_validation_images():
    few, many = split(labels_per_class=4), split(labels_per_class=20)
    assert set(few['labeled']) < set(many['labeled'])
    assert set(many['unlabeled']) < set(few['unlabeled'])
    assert np.array_equal(few['val'], many['val'])


def test_seeds_make_other_splits_and_one_seed_the_same():
    assert np.array_equal(split(seed=3)['labeled'], split(seed=3)['labeled'])
    assert not np.array_equal(split(seed=3)['labeled'], split(seed=4)['labeled'])


def test_a_split_is_the_same_under_every_numpy():
    parts = split_classes([0, 1] * 6, labels_per_class=2, val_per_class=1, seed=1)
    assert {part: parts[part].tolist() for part in ('labeled', 'unlabeled', 'val')} == {
        'labeled': [2, 4, 5, 9],
        'unlabeled': [0, 1, 6, 7, 8, 11],
        'val': [3, 10],
    }


def test_without_validation_images_all_others_are_unlabeled():
    parts = split(val_per_class=0)
    assert len(parts['val']) == 0
    assert len(parts['unlabeled']) == 400


@pytest.mark.parametrize(('labels_per_class', 'val_per_class'), [(0, 5), (10, -1)])
def test_counts_that_make_no_split_are_refused(labels_per_class, val_per_class):
    with pytest.raises(ValueError, match='make no split'):
        split(labels_per_class, val_per_class)


def test_more_images_than_a_class_has_are_refused():
    with pytest.raises(ValueError, match='ask for 51 images of every class, but one has only 50'):
        split(46, 5)

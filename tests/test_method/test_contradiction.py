"""How much masks are contradicted, counted by hand."""

import numpy as np
import pytest

from mmdmt.method.contradiction import contradiction, regions


def peers(*labels, sure=0.9, classes=3):
    """Return the labels of peers that give one class all of ``sure``, and their mean softmax."""
    labels = np.array(labels)
    one_hot = (labels[:, None] == np.arange(classes)[:, None, None]).mean(axis=0)
    return labels, one_hot * sure + (1 - one_hot) * (1 - sure) / (classes - 1)


def test_a_sure_peer_and_the_same_mask_are_no_contradiction():
    label = np.array([[0, 0, 1], [0, 1, 1]])
    assert contradiction(label, *peers(label, label, sure=1.0)) == 0


def test_a_missing_object_counts_as_a_class_of_its_own():
    label, mask = np.zeros((10, 10), np.int64), np.zeros((10, 10), np.int64)
    label[4:6, 4:6] = 1
    # Of the background 96 of 98 on average, of the object nothing.
    assert contradiction(mask, *peers(label, label, sure=1.0)) == pytest.approx(1 - (2 * 96 / 196 + 0) / 2)
    # To one peer alone it is doubt rather than contradiction.
    assert contradiction(mask, *peers(label, mask, sure=1.0)) == pytest.approx(1 - 2 * 98 / 198)


def test_ignored_pixels_and_masks_without_a_class_do_not_count():
    label = np.array([[0, 1]])
    assert contradiction(np.array([[0, 255]]), *peers(label, label, sure=1.0)) == 0
    assert contradiction(np.array([[255, 255]]), *peers(label, label)) == 0


def test_regions_are_connected_pixels_of_one_class_against_another():
    mask = np.zeros((10, 20), np.int64)
    mask[:, 10:] = 1
    left = mask.copy()
    left[2:5, 8:13] = 2  # against 0 on two columns, against 1 on three
    left[8, 0] = 2
    right = left.copy()
    right[8, 0] = 0  # to one peer alone
    mask[9, 19] = 255
    found = regions(mask, *peers(left, right))
    assert [(one.masked, one.predicted, one.pixels, one.box) for one in found] == [
        (1, 2, 9, (10, 2, 3, 3)),
        (0, 2, 6, (8, 2, 2, 3)),
    ]
    assert found[0].score == pytest.approx(9 * (0.9 - 0.05))


def test_regions_of_less_than_a_thousandth_are_left_out():
    label, mask = np.zeros((40, 50), np.int64), np.zeros((40, 50), np.int64)
    label[0, 0] = 1
    label[20, 20:22] = 1
    assert [one.pixels for one in regions(mask, *peers(label, label))] == [2]

"""What peers say of images, counted by hand."""

import numpy as np
import pytest

from mmdmt.method.ranking import CELLS, ErrorRates, compare, count_errors, spread

LEFT, RIGHT = np.array([[0, 0, 1, 1], [0, 0, 2, 2]]), np.array([[0, 0, 1, 2], [0, 1, 2, 2]])


def compared(*labels, confidence=0.8, classes=4):
    labels = np.stack(labels)
    return compare(labels, np.broadcast_to(np.float32(confidence), labels.shape), classes)


def test_disagreement_is_a_share_of_pixels_and_of_each_class():
    found = compared(LEFT, RIGHT)
    assert found.disagreement == 2 / 8
    # 0: 3 of 4 pixels; 1: 1 of 3; 2: 2 of 3; no one says 3.
    np.testing.assert_allclose(found.by_class, [1 / 4, 2 / 3, 1 / 3, np.nan])


def test_doubt_counts_half_of_the_confidence_where_peers_disagree():
    confidence = np.stack([np.full(LEFT.shape, 0.9), np.full(LEFT.shape, 0.7)])
    assert compared(LEFT, RIGHT, confidence=confidence).doubt == pytest.approx((6 * 0.2 + 2 * 0.6) / 8)
    assert compared(LEFT, LEFT, confidence=1.0).doubt == 0


def test_three_peers_are_three_pairs():
    found = compared(LEFT, LEFT, RIGHT)
    assert found.disagreement == pytest.approx(2 * 2 / 8 / 3)


def test_the_label_of_a_whole_image_is_one_pixel():
    found = compared(np.array([[700]]), np.array([[3]]), classes=1000)
    assert (found.disagreement, round(found.doubt, 6)) == (1.0, 0.6)


@pytest.mark.parametrize('labels', [LEFT[None], np.zeros((2, 0, 4), np.int64)], ids=['one peer', 'no pixel'])
def test_what_cannot_be_compared_is_refused(labels):
    with pytest.raises(ValueError, match='two peers or more have to label one pixel or more'):
        compare(labels, labels.astype(np.float32), 3)


def test_pooled_scores_tell_where_classes_are():
    label = np.zeros((8, 8), np.int64)
    label[:2, 6:] = 1
    pooled = compared(label, np.zeros_like(label), classes=2).pooled.reshape(CELLS, CELLS, 2)
    expected = np.zeros((CELLS, CELLS, 2))
    expected[..., 0] = 0.8
    expected[0, 3] = 0.4  # one of two peers
    np.testing.assert_allclose(pooled, expected, atol=1e-3)


def test_errors_are_counted_where_peers_agree_and_where_not():
    truth = np.array([[0, 1, 1, 2], [0, 1, 255, 2]])
    counts = count_errors(np.stack([LEFT, RIGHT]), LEFT, truth, 3)
    assert counts.tolist() == [[5, 1], [2, 2]]
    rates = ErrorRates(*(counts[:, 1] / counts[:, 0]))
    assert rates.expected(0.25) == pytest.approx(0.75 * 0.2 + 0.25)


def test_near_duplicates_do_not_fill_what_is_taken():
    copies, others = np.zeros((8, 3)), np.eye(3)
    scores = np.array([*np.linspace(0.9, 0.8, 8), 0.5, 0.4, 0.3])
    assert spread(scores, np.concatenate([copies, others]), 4)[0] == 0
    assert sorted(spread(scores, np.concatenate([copies, others]), 4)) == [0, 8, 9, 10]


def test_all_are_taken_once_if_as_many_are_asked_for():
    assert sorted(spread(np.zeros(5), np.zeros((5, 2)), 9)) == [0, 1, 2, 3, 4]

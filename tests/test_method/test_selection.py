import numpy as np
import pytest

from mmdmt.method.selection import most_confident


def softmax_of(images, classes=4, seed=0):
    scores = np.random.default_rng(seed).dirichlet(np.ones(classes), images)
    return scores.astype(np.float32)


@pytest.mark.parametrize(('images', 'ratio', 'count'), [(10, 0.2, 2), (99, 0.5, 49), (7, 1.0, 7), (3, 0.1, 1)])
def test_exactly_the_share_is_kept_and_at_least_one(images, ratio, count):
    selected = most_confident(softmax_of(images), ratio)
    assert len(selected) == count
    assert (np.diff(selected) > 0).all()


def test_no_image_that_is_left_out_is_surer_than_one_that_is_kept():
    scores = softmax_of(200)
    kept = most_confident(scores, 0.3)
    confidence = scores.max(axis=1)
    assert confidence[kept].min() >= np.delete(confidence, kept).max()


def test_of_equal_confidences_the_first_are_kept():
    scores = np.tile(np.float32([0.7, 0.3]), (10, 1))
    assert most_confident(scores, 0.4).tolist() == [0, 1, 2, 3]


def test_a_share_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r'20, but it lies in \(0, 1\]'):
        most_confident(softmax_of(3), 20)

import numpy as np
import pytest
import torch

from mmdmt.method.confidence_levels import dequantize, quantize
from mmdmt.method.selection import most_confident, surest_of_each_class
from mmdmt.method.thresholds import ConfidenceHistogram


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


def test_balanced_the_share_is_kept_of_every_predicted_class():
    scores = np.zeros((12, 3), np.float32)
    scores[:10, 0] = np.linspace(0.9, 0.99, 10)
    scores[10:, 1] = 0.4  # the rare class is never sure
    assert most_confident(scores, 0.5).tolist() == [4, 5, 6, 7, 8, 9]
    assert most_confident(scores, 0.5, class_balanced=True).tolist() == [5, 6, 7, 8, 9, 10]


def test_a_share_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r'20, but it lies in \(0, 1\]'):
        most_confident(softmax_of(3), 20)


@pytest.mark.parametrize('ratio', [0.001, 0.3, 0.7, 0.999, 1.0])
def test_of_a_batch_are_kept_the_pixels_that_a_bank_of_it_would_keep(ratio):
    label = np.random.default_rng(1).choice([0, 3, 4, 255], (3, 20, 30), p=[0.6, 0.3, 0.09, 0.01])
    confidence = np.random.default_rng(2).uniform(0.3, 1, label.shape).astype(np.float32)
    confidence = dequantize(quantize(confidence))  # several pixels a level
    histogram = ConfidenceHistogram(256, ignore_index=-1)
    histogram.update(label, confidence)
    expected = confidence >= histogram.thresholds(ratio)[label]
    kept = surest_of_each_class(torch.from_numpy(label), torch.from_numpy(confidence), ratio)
    assert np.array_equal(kept.numpy(), expected)


def test_of_ties_all_are_kept_and_of_two_pixels_both():
    label = torch.tensor([[7, 7, 7, 7], [2, 7, 2, 9]])
    confidence = torch.tensor([[0.9, 0.8, 0.8, 0.8], [0.6, 0.7, 0.5, 0.4]])
    kept = surest_of_each_class(label, confidence, 0.4)
    assert kept.tolist() == [[True, True, True, True], [True, False, True, True]]


def test_of_no_pixel_none_is_kept():
    assert surest_of_each_class(torch.zeros(0, 4, dtype=torch.int64), torch.zeros(0, 4), 0.5).shape == (0, 4)

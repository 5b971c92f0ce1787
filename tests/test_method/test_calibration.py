"""Temperatures of made-up networks whose true probabilities are known."""

import numpy as np
import pytest

from mmdmt.method.calibration import BINS, calibrate, count_confidence, reliability


@pytest.mark.parametrize('factor', [0.5, 1.0, 3.0])
def test_a_network_that_is_too_sure_is_cooled_by_as_much(factor):
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 1.5, (40_000, 4))
    true = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    truth = (true.cumsum(1) > generator.random((len(true), 1))).argmax(1)
    found = calibrate(logits * factor, truth)
    assert found.temperature == pytest.approx(factor, rel=0.03)
    assert found.calibrated_error < 0.012
    assert found.error == pytest.approx(found.calibrated_error, abs=1e-3) if factor == 1 else found.error > 0.05


def test_bins_hold_confidence_and_accuracy():
    # Three of four are right at a confidence of 3/4, whose logits differ by log 3: nothing to calibrate.
    logits = np.log([[0.75, 0.25]] * 4)
    found = calibrate(logits, np.array([0, 0, 0, 1]))
    assert found.temperature == pytest.approx(1, abs=1e-6)
    assert found.error == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(found.bins[7], [1, 0.75, 0.75], atol=1e-6)
    assert np.isnan(found.bins[:7, 1:]).all()


def test_counts_are_those_of_a_plain_loop_and_add_up():
    generator = np.random.default_rng(3)
    logits, truth = generator.normal(0, 2, (200, 5)), generator.integers(0, 5, 200)
    temperatures = (0.5, 1.0, 2.0)
    expected = np.zeros((3, BINS, 4))
    for number, temperature in enumerate(temperatures):
        for row, label in zip(logits, truth, strict=True):
            probability = np.exp(row / temperature) / np.exp(row / temperature).sum()
            place = min(int(probability.max() * BINS), BINS - 1)
            right = probability.argmax() == label
            expected[number, place] += (1, probability.max(), right, -np.log(probability[label]))
    np.testing.assert_allclose(count_confidence(logits, truth, temperatures), expected, rtol=1e-9, atol=1e-12)
    parts = [count_confidence(logits[part], truth[part], temperatures) for part in (slice(0, 70), slice(70, None))]
    np.testing.assert_allclose(sum(parts), expected, rtol=1e-9, atol=1e-12)


def test_the_calibration_error_of_counts_worked_out_by_hand():
    counts = np.zeros((BINS, 4))
    counts[5, :3] = 4, 2.2, 3  # surely .55, right .75
    counts[9, :3] = 16, 15.2, 12  # surely .95, right .75
    error, bins = reliability(counts)
    assert error == pytest.approx(0.2 * 0.2 + 0.8 * 0.2)
    np.testing.assert_allclose(bins[[5, 9]], [[0.2, 0.55, 0.75], [0.8, 0.95, 0.75]])
    assert np.isnan(bins[0, 1:]).all()


def test_pixels_without_labels_are_refused():
    with pytest.raises(ValueError, match='No pixel of the validation images has a label'):
        calibrate(np.zeros((0, 3)), np.zeros(0, np.int64))

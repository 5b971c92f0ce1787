"""Temperatures of made-up networks whose true probabilities are known."""

import numpy as np
import pytest

from mmdmt.method.calibration import calibrate


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


def test_pixels_without_labels_are_refused():
    with pytest.raises(ValueError, match='No pixel of the validation images has a label'):
        calibrate(np.zeros((0, 3)), np.zeros(0, np.int64))

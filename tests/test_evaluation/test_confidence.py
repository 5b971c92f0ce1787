import numpy as np
import pytest
import torch
from mmengine.registry import METRICS
from toys.segmentation import CLASSES

from mmdmt.evaluation import confidence
from mmdmt.method.calibration import TEMPERATURES, calibrate

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def metric_of(**settings):
    metric = METRICS.build({'type': 'mmdmt.PeerMetric', 'metric': {'type': 'IoUMetric', **settings}})
    metric.dataset_meta = {'classes': CLASSES}
    return metric


def sample_of(truth, probabilities):
    """An image of one row of pixels, predicted alike by a peer and the ensemble."""
    logits = torch.tensor(probabilities).float().log().T[:, None]
    prediction = {'pred_sem_seg': {'data': logits.argmax(0, keepdim=True)}, 'seg_logits': {'data': logits}}
    return {
        'gt_sem_seg': {'data': torch.tensor(truth)[None, None]},
        **prediction,
        'peers': {'left': prediction, 'ensemble': prediction},
    }


SURE, UNSURE = [0.9, 0.06, 0.04], [0.5, 0.3, 0.2]


def test_error_and_bins_are_those_of_the_pixels_with_a_label():
    metric = metric_of()
    metric.process({}, [sample_of([0, 1, 255], [SURE, SURE, SURE])])
    metric.process({}, [sample_of([0, 0], [SURE, UNSURE])])
    metric.evaluate(2)
    left, ensemble = metric.reliability['left'], metric.reliability['ensemble']
    # Of three pixels at .9 two are right, the one at .5 is.
    assert left['bins'] == [[0.25, 0.5, 1.0], [0.75, 0.9, 0.6667]]
    assert left['error'] == pytest.approx(0.25 * 0.5 + 0.75 * (0.9 - 2 / 3), abs=1e-4)
    assert {key: ensemble[key] for key in left} == left
    assert 'temperature' not in left
    metric.process({}, [sample_of([0], [SURE])])
    metric.evaluate(1)
    assert metric.reliability['left']['bins'] == [[1.0, 0.9, 1.0]]  # of this evaluation alone


def test_the_temperature_is_that_of_the_exact_calibration_to_a_step():
    generator = np.random.default_rng(1)
    logits = generator.normal(0, 1.5, (200, 3))
    true = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    truth = (true.cumsum(1) > generator.random((200, 1))).argmax(1)
    sharp = np.exp(2 * logits) / np.exp(2 * logits).sum(1, keepdims=True)
    metric = metric_of()
    metric.process({}, [sample_of(truth.tolist(), sharp.tolist())])
    metric.evaluate(1)
    found, exact = metric.reliability['ensemble'], calibrate(2 * logits, truth)
    assert found['temperature'] == pytest.approx(exact.temperature, rel=0.05)
    assert found['error'] == pytest.approx(exact.error, abs=1e-3)
    assert found['calibrated_error'] < found['error'] / 2


def test_an_image_that_fills_up_the_last_round_of_two_processes_counts_once(monkeypatch):
    first, second, third = sample_of([0], [SURE]), sample_of([1], [SURE]), sample_of([0], [UNSURE])
    monkeypatch.setattr(confidence, 'get_world_size', lambda: 2)
    parts = []
    for rank, share in enumerate([[first, third], [second, first]]):
        counts = confidence.ConfidenceCounts()
        for sample in share:
            counts.add(sample, 255)
        monkeypatch.setattr(confidence, 'get_rank', lambda rank=rank: rank)
        monkeypatch.setattr(confidence, 'all_gather_object', lambda own: parts.append(own) or [own])
        counts.results(3)
    monkeypatch.setattr(confidence, 'all_gather_object', lambda own: parts)
    assert confidence.ConfidenceCounts().results(3)['left']['bins'] == [[0.3333, 0.5, 1.0], [0.6667, 0.9, 0.5]]


def test_of_a_large_mask_a_few_pixels_count_and_numbers_that_are_none_do_not():
    rows = [SURE] * 100_000
    metric = metric_of()
    sample = sample_of([0] * len(rows), rows)
    sample['seg_logits']['data'][:, 0, ::2] = float('nan')
    metric.process({}, [sample])
    ((counts, *_), *_) = metric._confidence._sums['left'].sum(axis=1)
    assert 0.3 * confidence.COUNTED < counts < 0.7 * confidence.COUNTED
    assert TEMPERATURES[5] == 1


def test_predictions_without_masks_tell_nothing(tmp_path):
    metric = metric_of(format_only=True, output_dir=str(tmp_path))
    sample = {**sample_of([0, 0], [SURE, SURE]), 'img_path': 'a.png'}
    del sample['gt_sem_seg']
    metric.process({}, [sample])
    metric.evaluate(1)
    assert metric.reliability == {}


def test_a_classifier_is_judged_by_its_images():
    counts = confidence.ConfidenceCounts()
    for label in (0, 1):
        prediction = {'pred_score': torch.tensor(SURE), 'pred_label': torch.tensor([0])}
        counts.add({'gt_label': torch.tensor([label]), 'peers': {'left': prediction}}, None)
    assert counts.results(2) == {'left': {'error': 0.4, 'bins': [[1.0, 0.9, 0.5]]}}

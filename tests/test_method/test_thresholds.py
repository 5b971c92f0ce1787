from functools import partial

import numpy as np
import pytest
import torch

from mmdmt.labels.pixels.codec import decode, encode
from mmdmt.method.confidence_levels import NUM_LEVELS, dequantize, quantize
from mmdmt.method.thresholds import ConfidenceHistogram, class_thresholds, count_confidences, most_confident

RATIOS = [0.001, 0.2, 0.4, 0.6, 0.8, 0.999, 1.0]


def confidences(kind: str) -> np.ndarray:
    """Confidences of the kinds that networks give, each as one class."""
    rng = np.random.default_rng(3)
    values = {
        'trained': 1 / (1 + np.exp(-rng.normal(4, 3, 20_000))),
        'uncertain': rng.uniform(0.2, 0.5, 20_000),
        'next to one': 1 - 10 ** rng.uniform(np.log10(6e-8), -6, 20_000),
        'all one': np.ones(1000),
        'in two lumps': rng.choice([0.3, 0.9], 1000, p=[0.7, 0.3]),
    }[kind]
    return values.clip(0, 1).astype(np.float32)


def kept_by_sorting(confidence: np.ndarray, ratio: float) -> int:
    """The definition, on the confidences themselves."""
    descending = sorted(confidence.tolist(), reverse=True)
    n = len(descending)
    if ratio >= 1 or n * ratio < 1:
        return n
    threshold = descending[int(n * ratio)]
    return sum(value >= threshold for value in descending)


def histogram_of(confidence: np.ndarray, label: int = 0, num_classes: int = 1) -> ConfidenceHistogram:
    histogram = ConfidenceHistogram(num_classes)
    histogram.update(np.full(confidence.shape, label), confidence)
    return histogram


@pytest.mark.parametrize('ratio', RATIOS)
@pytest.mark.parametrize('kind', ['trained', 'uncertain', 'next to one', 'all one', 'in two lumps'])
def test_the_threshold_is_the_level_after_the_share_and_keeps_what_sorting_keeps(kind, ratio):
    confidence = confidences(kind)
    (threshold,) = histogram_of(confidence).thresholds(ratio)
    levels = np.sort(quantize(confidence))[::-1]
    assert threshold == dequantize(levels[min(int(levels.size * ratio), levels.size - 1)])
    kept = np.count_nonzero(confidence >= threshold)
    assert 0 <= kept - kept_by_sorting(confidence, ratio) <= 0.002 * confidence.size


@pytest.mark.parametrize('ratio', [0.2, 0.4, 0.6, 0.8, 1.0])
@pytest.mark.parametrize('n', range(1, 12))
def test_few_pixels_are_counted_exactly(n, ratio):
    confidence = np.linspace(0.35, 0.9, n, dtype=np.float32)
    histogram = histogram_of(confidence)
    assert histogram.kept(histogram.thresholds(ratio))[0] == kept_by_sorting(confidence, ratio)


@pytest.mark.parametrize(
    ('confidence', 'ratio', 'kept'),
    [
        ([0.3, 0.5, 0.7, 0.9], 0.2, 4),  # a share of less than one pixel keeps all
        ([0.3, 0.5, 0.7, 0.9], 1, 4),
        ([0.5] * 3, np.nextafter(1.0, 0.0), 3),  # a share that rounds to the whole class
        (np.linspace(0.3, 0.9, 100), 0.29, 29),  # 100 * 0.29 is 28.999... in floating point
        ([0.9, 0.8, 0.8, 0.8, 0.1], 0.2, 4),  # ties at the threshold are kept
    ],
)
def test_the_rank_is_that_of_the_floating_point_product_and_ties_are_kept(confidence, ratio, kept):
    histogram = histogram_of(np.float32(confidence))
    assert histogram.kept(histogram.thresholds(ratio)) == [kept]


def test_each_class_keeps_its_own_share():
    label = np.repeat([0, 1, 2], [1000, 100, 10])
    confidence = np.concatenate([np.linspace(low, 0.99, n) for low, n in ((0.9, 1000), (0.3, 100), (0.2, 10))])
    histogram = ConfidenceHistogram(3)
    histogram.update(label, confidence.astype(np.float32))
    np.testing.assert_array_equal(histogram.totals, [1000, 100, 10])
    np.testing.assert_allclose(histogram.kept(histogram.thresholds(0.4)), [401, 41, 5], atol=2)


def test_class_that_was_never_predicted_keeps_nothing():
    histogram = histogram_of(confidences('trained'), label=1, num_classes=3)
    thresholds = histogram.thresholds(0.5)
    assert np.isposinf(thresholds).tolist() == [True, False, True]
    assert histogram.kept(thresholds)[[0, 2]].tolist() == [0, 0]
    assert np.isposinf(ConfidenceHistogram(4).thresholds(1.0)).all()


@pytest.mark.parametrize('ratio', RATIOS)
def test_raw_and_stored_confidences_keep_the_same_pixels(ratio):
    rng = np.random.default_rng(5)
    label = rng.integers(0, 4, (90, 110), dtype=np.uint8)
    confidence = (1 / (1 + np.exp(-rng.normal(2 * label, 3)))).astype(np.float32)
    histogram = ConfidenceHistogram(4)
    histogram.update(label, confidence)
    thresholds = histogram.thresholds(ratio)
    stored_label, stored_levels = decode(encode(label, quantize(confidence)))
    stored_confidence = dequantize(stored_levels)
    kept = confidence >= thresholds[label]
    np.testing.assert_array_equal(stored_confidence >= thresholds[stored_label], kept)
    np.testing.assert_array_equal(np.bincount(label[kept], minlength=4), histogram.kept(thresholds))


def test_thresholds_have_the_dtypes_and_shapes_that_are_promised():
    histogram = histogram_of(confidences('next to one'), num_classes=5)
    thresholds = histogram.thresholds(0.3)
    assert (histogram.counts.shape, histogram.counts.dtype) == ((5, NUM_LEVELS), np.int64)
    assert (thresholds.shape, thresholds.dtype) == ((5,), np.float32)
    assert histogram.totals.dtype == histogram.kept(thresholds).dtype == np.int64
    # The manifest of a bank is text: what is read back keeps the same pixels.
    read_back = np.array([float(repr(float(threshold))) for threshold in thresholds])
    np.testing.assert_array_equal(histogram.kept(read_back), histogram.kept(thresholds))


def test_threshold_within_a_level_leaves_that_level_out():
    histogram = histogram_of(np.full(10, 0.3, np.float32))
    edge = histogram.thresholds(1.0)
    assert histogram.kept(edge) == [10]
    assert histogram.kept(np.nextafter(edge, np.float32(1))) == [0]


def test_ignored_pixels_are_not_counted_whatever_their_confidence():
    histogram = ConfidenceHistogram(2)
    histogram.update(np.array([0, 255, 1, 255], np.uint8), np.array([0.5, np.inf, 0.5, np.nan], np.float32))
    histogram.update(np.zeros((0, 5), np.uint8), np.zeros((0, 5), np.float32))
    assert histogram.totals.tolist() == [1, 1]
    histogram = ConfidenceHistogram(2, ignore_index=-1)
    histogram.update(np.array([0, -1]), np.array([0.5, 0.5], np.float32))
    assert histogram.totals.tolist() == [1, 0]


@pytest.mark.parametrize('dtype', ['uint8', 'int32', 'int64'])
def test_image_by_image_counts_what_all_at_once_counts(dtype):
    rng = np.random.default_rng(5)
    label, confidence = rng.integers(0, 150, (6, 20, 30)).astype(dtype), rng.random((6, 20, 30), np.float32)
    at_once, by_image = ConfidenceHistogram(150), ConfidenceHistogram(150)
    at_once.update(label, confidence)
    for image_label, image_confidence in zip(label, confidence, strict=True):
        by_image.update(image_label, image_confidence)
    np.testing.assert_array_equal(by_image.counts, at_once.counts)
    for class_index in (0, 77, 149):
        expected = np.bincount(quantize(confidence[label == class_index]), minlength=NUM_LEVELS)
        np.testing.assert_array_equal(at_once.counts[class_index], expected)


@pytest.mark.parametrize('ratio', [0, -0.2, 1.0001, 20, float('nan')])
def test_ratio_out_of_range_is_refused_by_value(ratio):
    for keep in (ConfidenceHistogram(2).thresholds, partial(most_confident, softmax_of(3))):
        with pytest.raises(ValueError, match=rf'keep is {ratio}, but it lies in \(0, 1\]'):
            keep(ratio)


@pytest.mark.parametrize(
    ('label', 'confidence', 'message'),
    [
        (np.zeros(3), np.ones(3, np.float32), 'labels are float64'),
        (np.zeros(3, int), np.ones(4, np.float32), r'shape \(3,\), but their confidences \(4,\)'),
        (np.zeros(3, int), np.ones(3), 'float64, but float32'),
        (np.zeros(3, int), np.full(3, np.nan, np.float32), 'confidence is nan'),
        *(
            (
                np.array([0, 255, foreign, 1]),
                np.full(4, 0.5, np.float32),
                f'a label is {foreign}, but there are 2 classes',
            )
            for foreign in (-1, 2, 254, 1000)
        ),
    ],
)
def test_what_is_no_labeling_is_not_counted(label, confidence, message):
    histogram = ConfidenceHistogram(2)
    with pytest.raises(ValueError, match=message):
        histogram.update(label, confidence)
    assert not histogram.counts.any()


@pytest.mark.parametrize(
    ('fail', 'words'),
    [
        (lambda: ConfidenceHistogram(21).kept(np.zeros(19)), r'shape \(19,\), but there are 21 classes'),
        (lambda: ConfidenceHistogram(0), 'num_classes is 0'),
        (lambda: ConfidenceHistogram(-3), 'num_classes is -3'),
        (lambda: ConfidenceHistogram(300), 'ignore_index is 255, which is one of the 300 classes'),
    ],
)
def test_other_numbers_of_classes_are_refused(fail, words):
    with pytest.raises(ValueError, match=words):
        fail()


@pytest.mark.parametrize('ratio', RATIOS)
def test_on_a_device_counts_and_thresholds_are_those_of_the_histogram(ratio):
    generator = np.random.default_rng(1)
    label = generator.choice([0, 3, 4, 255], (3, 20, 30), p=[0.6, 0.3, 0.09, 0.01])
    confidence = generator.uniform(0.3, 1, label.shape).astype(np.float32)
    histogram = ConfidenceHistogram(6)
    histogram.update(label, confidence)
    counts = count_confidences(torch.from_numpy(label), torch.from_numpy(confidence), 6)
    assert np.array_equal(counts.numpy(), histogram.counts)
    nothing = count_confidences(torch.tensor([0, 1]), torch.tensor([float('nan'), 0.5]), 2)
    assert [nothing[0, 0], nothing.sum()] == [1, 2]  # NaN counts as confidence 0
    assert np.array_equal(class_thresholds(counts, ratio).numpy(), histogram.thresholds(ratio))


def test_counts_that_fade_keep_their_share_of_what_is_remembered():
    old, new = (torch.full((100,), value) for value in (0.9, 0.6))
    label = torch.zeros(100, dtype=torch.long)
    counts = [count_confidences(label, one, 1) for one in (old, new)]
    # 50 of 150 were surer: a third of all is those, a little more reaches the others.
    assert class_thresholds(0.5 * counts[0] + counts[1], 0.3).item() == pytest.approx(0.9, abs=1e-3)
    assert class_thresholds(0.5 * counts[0] + counts[1], 0.35).item() == pytest.approx(0.6, abs=1e-3)
    faded = counts[0] * 0.99**5000 + counts[1] * 0.1  # less than one label is left
    assert class_thresholds(faded, 1.0).item() <= 0.6


def softmax_of(images, classes=4):
    return np.random.default_rng(0).dirichlet(np.ones(classes), images).astype(np.float32)


@pytest.mark.parametrize(('images', 'ratio', 'count'), [(10, 0.2, 2), (99, 0.5, 49), (7, 1.0, 7), (3, 0.1, 1)])
def test_exactly_the_share_of_the_surest_images_is_kept_and_at_least_one(images, ratio, count):
    scores = softmax_of(images)
    selected, confidence = most_confident(scores, ratio), scores.max(axis=1)
    assert len(selected) == count
    assert (np.diff(selected) > 0).all()
    assert confidence[selected].min() >= np.delete(confidence, selected).max(initial=0)
    assert most_confident(np.tile(np.float32([0.7, 0.3]), (10, 1)), 0.4).tolist() == [0, 1, 2, 3]

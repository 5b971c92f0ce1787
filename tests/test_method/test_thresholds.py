import numpy as np
import pytest
import torch

from mmdmt.labels.pixels.codec import decode, encode
from mmdmt.method.confidence_levels import NUM_LEVELS, dequantize, quantize, quantize_tensor
from mmdmt.method.thresholds import class_thresholds, count_kept, count_levels, most_confident

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


def counts_of(confidence, label=0, num_classes=1):
    confidence = torch.from_numpy(np.asarray(confidence, np.float32))
    label = torch.as_tensor(label).expand(confidence.shape)
    return count_levels(label, quantize_tensor(confidence), num_classes)


@pytest.mark.parametrize('ratio', RATIOS)
@pytest.mark.parametrize('kind', ['trained', 'uncertain', 'next to one', 'all one', 'in two lumps'])
def test_the_threshold_is_the_level_after_the_share_and_keeps_what_sorting_keeps(kind, ratio):
    confidence = confidences(kind)
    (threshold,) = class_thresholds(counts_of(confidence), ratio).numpy()
    levels = np.sort(quantize(confidence))[::-1]
    assert threshold == dequantize(levels[min(int(levels.size * ratio), levels.size - 1)])
    kept = np.count_nonzero(confidence >= threshold)
    assert 0 <= kept - kept_by_sorting(confidence, ratio) <= 0.002 * confidence.size


@pytest.mark.parametrize('ratio', [0.2, 0.4, 0.6, 0.8, 1.0])
@pytest.mark.parametrize('n', range(1, 12))
def test_few_pixels_are_counted_exactly(n, ratio):
    confidence = np.linspace(0.35, 0.9, n, dtype=np.float32)
    counts = counts_of(confidence)
    assert count_kept(counts, class_thresholds(counts, ratio))[0] == kept_by_sorting(confidence, ratio)


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
    counts = counts_of(confidence)
    assert count_kept(counts, class_thresholds(counts, ratio)).tolist() == [kept]


def test_class_that_was_never_predicted_keeps_nothing():
    counts = counts_of(confidences('trained'), label=1, num_classes=3)
    thresholds = class_thresholds(counts, 0.5)
    assert thresholds.isposinf().tolist() == [True, False, True]
    assert count_kept(counts, thresholds)[[0, 2]].tolist() == [0, 0]


@pytest.mark.parametrize('ratio', RATIOS)
def test_raw_and_stored_confidences_keep_the_same_pixels(ratio):
    rng = np.random.default_rng(5)
    label = rng.integers(0, 4, (90, 110), dtype=np.uint8)
    confidence = (1 / (1 + np.exp(-rng.normal(2 * label, 3)))).astype(np.float32)
    counts = counts_of(confidence, label, 4)
    thresholds = class_thresholds(counts, ratio)
    stored_label, stored_levels = decode(encode(label, quantize(confidence)))
    stored_confidence, least = dequantize(stored_levels), thresholds.numpy()
    kept = confidence >= least[label]
    np.testing.assert_array_equal(stored_confidence >= least[stored_label], kept)
    np.testing.assert_array_equal(np.bincount(label[kept], minlength=4), count_kept(counts, thresholds))


def test_counts_and_thresholds_have_the_dtypes_and_shapes_that_are_promised():
    counts = counts_of(confidences('next to one'), num_classes=5)
    thresholds = class_thresholds(counts, 0.3)
    assert (counts.shape, counts.dtype) == ((5, NUM_LEVELS), torch.int64)
    assert (thresholds.shape, thresholds.dtype) == ((5,), torch.float32)
    # The manifest of a bank is text: what is read back keeps the same pixels.
    read_back = torch.tensor([float(repr(threshold)) for threshold in thresholds.tolist()])
    assert count_kept(counts, read_back).equal(count_kept(counts, thresholds))


@pytest.mark.parametrize('dtype', ['uint8', 'int32', 'int64'])
def test_image_by_image_counts_what_all_at_once_counts_without_ignored_pixels(dtype):
    rng = np.random.default_rng(5)
    label, confidence = rng.integers(0, 150, (6, 20, 30)).astype(dtype), rng.random((6, 20, 30), np.float32)
    label[:, :3] = 255
    at_once = counts_of(confidence, label, 150)
    assert sum(counts_of(sure, own, 150) for own, sure in zip(label, confidence, strict=True)).equal(at_once)
    assert at_once.sum() == (label != 255).sum()
    for cls in (0, 77, 149):
        expected = np.bincount(quantize(confidence[label == cls]), minlength=NUM_LEVELS)
        np.testing.assert_array_equal(at_once[cls], expected)
    nothing = counts_of([float('nan'), 0.5], np.array([0, 1]), 2)
    assert [nothing[0, 0], nothing.sum()] == [1, 2]  # NaN counts as confidence 0


@pytest.mark.parametrize('ratio', [0, -0.2, 1.0001, 20, float('nan')])
def test_ratio_out_of_range_is_refused_by_value(ratio):
    for keep in (lambda: class_thresholds(counts_of([0.5]), ratio), lambda: most_confident(softmax_of(3), ratio)):
        with pytest.raises(ValueError, match=rf'keep is {ratio}, but it lies in \(0, 1\]'):
            keep()


def test_counts_that_fade_keep_their_share_of_what_is_remembered():
    counts = [counts_of([value] * 100).double() for value in (0.9, 0.6)]
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

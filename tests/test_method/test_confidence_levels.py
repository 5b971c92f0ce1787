import numpy as np
import pytest
import torch

from mmdmt.method import confidence_levels
from mmdmt.method.confidence_levels import LOWER_EDGES, NUM_LEVELS, dequantize, quantize, quantize_tensor

ONE = np.float32(1)


def every_float32_between(low: float, high: float) -> np.ndarray:
    first, last = np.array([low, high], np.float32).view(np.uint32)
    return np.arange(first, last + 1, dtype=np.uint32).view(np.float32)


def test_levels_fit_into_uint16_and_edges_cannot_be_changed():
    assert NUM_LEVELS <= 2**16
    assert quantize(np.array([0.3], np.float32)).dtype == np.uint16
    assert dequantize(np.array([7], np.uint16)).dtype == np.float32
    with pytest.raises(ValueError, match='read-only'):
        LOWER_EDGES[0] = 1


def test_every_level_begins_at_its_lower_edge():
    levels = np.arange(NUM_LEVELS)
    edges = dequantize(levels)
    np.testing.assert_array_equal(quantize(edges), levels)
    np.testing.assert_array_equal(quantize(np.nextafter(edges[1:], np.float32(0))), levels[:-1])


@pytest.mark.parametrize(('low', 'high'), [(0.5, 1.0), (0.2498, 0.2502), (6e-5, 6.2e-5), (0.0, 1e-41)])
def test_level_tells_exactly_which_edges_a_confidence_reaches(low, high):
    confidence = every_float32_between(low, high)
    edges_reached = np.searchsorted(LOWER_EDGES, confidence, side='right')
    np.testing.assert_array_equal(quantize(confidence), edges_reached - 1)


def test_zero_has_the_lowest_level_and_one_the_highest_of_its_own():
    below_one = np.nextafter(ONE, np.float32(0))
    assert quantize(np.array([0, -0.0, below_one, 1], np.float32)).tolist() == [0, 0, NUM_LEVELS - 2, NUM_LEVELS - 1]
    assert dequantize(np.array([0, NUM_LEVELS - 1])).tolist() == [0, 1]


def test_every_float32_closest_to_one_has_its_own_level():
    confidence = every_float32_between(1 - 5e-5, 1)
    np.testing.assert_array_equal(dequantize(quantize(confidence)), confidence)


@pytest.mark.parametrize('value', ['nan', 'inf', '-inf', '1.0000001', '-0.25'])
def test_what_is_no_probability_or_of_another_dtype_is_refused_by_value(value):
    with pytest.raises(ValueError, match=f'a confidence is {value}'):
        quantize(np.array([0.5, value, 0.7], np.float32))
    for dtype in ('float64', 'float16', 'int64'):
        with pytest.raises(ValueError, match=f'{dtype}, but float32'):
            quantize(np.ones(3, dtype))


@pytest.mark.parametrize('levels', [np.array([NUM_LEVELS]), np.full((2, 3), NUM_LEVELS, np.uint16)])
def test_level_out_of_range_is_refused(levels):
    with pytest.raises(IndexError, match=str(NUM_LEVELS)):
        dequantize(levels)


@pytest.mark.parametrize('opencv', sorted({False, confidence_levels._OPENCV_LOOKS_UP_LEVELS}))
def test_a_map_of_levels_with_and_without_tables_of_opencv(opencv, monkeypatch):
    monkeypatch.setattr(confidence_levels, '_OPENCV_LOOKS_UP_LEVELS', opencv)
    levels = np.arange(NUM_LEVELS, dtype=np.uint16).reshape(27, -1)
    for part in (levels, levels[2:7, 5:], levels[:, :0]):
        edges = dequantize(part)
        assert edges.dtype == np.float32
        np.testing.assert_array_equal(edges, LOWER_EDGES[part])


def test_tensors_get_the_levels_of_arrays():
    edges = torch.from_numpy(LOWER_EDGES.copy())
    below = torch.nextafter(edges, torch.tensor(-1.0)).clamp(min=0)
    above = torch.nextafter(edges, torch.tensor(2.0)).clamp(max=1)
    confidence = torch.cat([edges, below, above, torch.rand(10_000), 1 - torch.rand(10_000) * 1e-5])
    levels = quantize_tensor(confidence)
    assert levels.dtype == torch.int16
    np.testing.assert_array_equal(levels.numpy().view(np.uint16), quantize(confidence.numpy()))


def test_in_a_tensor_what_is_no_confidence_has_the_level_65535():
    confidence = torch.tensor([[0.5, float('nan'), -0.1], [1.1, float('inf'), 1.0]])
    levels = quantize_tensor(confidence).numpy().view(np.uint16)
    assert levels.tolist() == [[levels[0, 0], 65535, 65535], [65535, 65535, NUM_LEVELS - 1]]
    assert levels[0, 0] < NUM_LEVELS

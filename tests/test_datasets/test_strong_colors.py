"""The strong view in units of the image."""

import cv2
import numpy as np
import pytest

from mmdmt.datasets.transforms import StrongColors
from mmdmt.rules.known_transforms import moves_pixels


def sigma_of(transform, size):
    """Measure the blur of an edge, in pixels, where the view has blurred it."""
    image = np.zeros((size, size, 3), np.uint8)
    image[:, size // 2 :] = 255
    out = transform({'img': image})['img'].astype(float).mean(axis=2)[size // 2]
    return 255 / max(np.diff(out)) / np.sqrt(2 * np.pi)


@pytest.mark.parametrize('size', [96, 321])
def test_the_blur_is_a_share_of_the_image(size):
    sigmas = []
    for seed in range(40):
        np.random.seed(seed)
        transform = StrongColors(sigma=0.02)
        transform._jitter.transforms.transforms.clear()  # colors alone would change the edge, too
        sigmas.append(sigma_of(transform, size))
    blurred = [one for one in sigmas if one > 0.45]
    assert 8 <= len(blurred) <= 30
    assert max(blurred) == pytest.approx(0.02 * size, rel=0.15)


def test_colors_change_and_pixels_stay():
    np.random.seed(0)
    assert not moves_pixels({'type': 'mmdmt.StrongColors', 'strength': 0.5})
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    changed = [StrongColors()({'img': image.copy()})['img'] for _ in range(50)]
    assert all(one.shape == image.shape and one.dtype == np.uint8 for one in changed)
    gray = [one for one in changed if np.ptp(one, axis=2).max() <= 1]
    assert 3 <= len(gray) <= 20
    assert sum(np.array_equal(one, image) for one in changed) < 25


def test_a_small_strength_changes_little():
    np.random.seed(0)
    image = cv2.resize(np.random.default_rng(0).integers(0, 256, (8, 8, 3)).astype(np.uint8), (64, 64))
    distances = {}
    for strength in (0.1, 1.0):
        views = [StrongColors(strength)({'img': image.copy()})['img'] for _ in range(30)]
        distances[strength] = np.mean([np.abs(one.astype(int) - image).mean() for one in views])
    assert distances[0.1] < 0.3 * distances[1.0]


@pytest.mark.parametrize(
    'arguments', [{'strength': 0}, {'strength': 1.5}, {'hue': 0.6}, {'sigma': -1}], ids=lambda one: next(iter(one))
)
def test_what_is_out_of_range_is_refused(arguments):
    name = next(iter(arguments))
    with pytest.raises(ValueError, match=f'{name}={arguments[name]} of StrongColors'):
        StrongColors(**arguments)

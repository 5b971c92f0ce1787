import numpy as np
import pytest

from mmdmt.visualization import visible


def test_color_images_are_as_they_are():
    image = np.random.default_rng(0).integers(0, 256, (5, 6, 3)).astype(np.uint8)
    assert visible(image) is image


@pytest.mark.parametrize(
    'image',
    [
        np.linspace(0, 60000, 200).reshape(10, 20).astype(np.uint16),
        np.linspace(-1000, 3000, 400).reshape(10, 10, 4).astype(np.float32),
        np.linspace(0, 1, 200).reshape(10, 10, 2),
    ],
    ids=['16 bits', 'four bands', 'two bands'],
)
def test_others_are_stretched_over_the_range(image):
    shown = visible(image)
    assert (shown.dtype, shown.shape) == (np.uint8, (*image.shape[:2], 3))
    assert (shown.min(), shown.max()) == (0, 255)
    assert (np.diff(shown[..., 0].astype(int).ravel()) >= 0).all()  # darker stays darker


def test_a_fourth_band_of_8_bits_is_left_out():
    image = np.arange(64, dtype=np.uint8).reshape(4, 4, 4)
    assert (visible(image) == image[..., :3]).all()


@pytest.mark.filterwarnings('error')
def test_an_even_image_and_one_with_nan_are_drawn():
    assert (visible(np.full((3, 3), 700, np.uint16)) == 0).all()
    spot = np.full((100, 100), 700, np.uint16)
    spot[7, 7] = 701
    assert np.argwhere(visible(spot)[..., 0] == 255).tolist() == [[7, 7]]
    assert visible(np.array([[np.nan, 1.0], [2.0, np.inf]])).shape == (2, 2, 3)

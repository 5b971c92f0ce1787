import numpy as np
import pytest

from mmdmt.datasets.digits.digit_rendering import render_scene
from mmdmt.datasets.digits.digit_scenes import DigitScenes
from mmdmt.datasets.transforms import LightOnDark


def test_prints_become_light_on_dark_and_handwriting_stays_as_it_is():
    for domain, turned in (('fonts', True), ('handwriting', False)):
        dataset = DigitScenes(domain=domain, num_scenes=40)
        changed = 0
        for number in range(40):
            scene = render_scene(dataset.get_data_info(number)['scene'])
            image = LightOnDark()({'img': scene.image})['img']
            ink = scene.mask > 0
            assert image[ink].mean() > image[~ink].mean()
            changed += not np.array_equal(image, scene.image)
        assert (changed > 10) is turned
        assert turned or changed == 0


def test_an_image_is_inverted_in_its_own_range():
    image = np.array([[60000, 65535], [64000, 0]], np.uint16)
    light_on_dark = [[5535, 0], [1535, 65535]]
    assert LightOnDark()({'img': image})['img'].tolist() == light_on_dark
    assert LightOnDark()({'img': 65535 - image})['img'].tolist() == light_on_dark


def test_the_probability_is_that_of_light_images():
    np.random.seed(0)
    light = np.full((2, 2, 3), 200, np.uint8)
    light[0, 1] = 10
    turned = sum(LightOnDark(0.3)({'img': light})['img'][0, 0, 0] == 55 for _ in range(1000))
    assert 250 < turned < 350


def test_what_has_no_brightest_value_is_refused():
    with pytest.raises(ValueError, match='no brightest value of a float32 image'):
        LightOnDark()({'img': np.ones((2, 2, 3), np.float32)})
    with pytest.raises(ValueError, match=r'prob=1\.5 of LightOnDark'):
        LightOnDark(prob=1.5)

"""Small transforms: sizes, polarity, scales, arrays with holes."""

import numpy as np
import pytest
from mmengine.registry import TRANSFORMS
from PIL import Image

from mmdmt.datasets.digits.digit_rendering import render_scene
from mmdmt.datasets.digits.digit_scenes import DigitScenes
from mmdmt.datasets.transforms import EvaluateAtThisSize, LightOnDark, RandomScale
from mmdmt.labels.pixels.masks import CheckMask
from mmdmt.rules.checked_pipeline import CheckedPipeline

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def test_the_present_size_becomes_the_original_one_if_the_ground_truth_has_it():
    results = {'img_shape': (5, 8), 'ori_shape': (10, 16), 'seg_map_path': 'a.png'}
    assert EvaluateAtThisSize()(dict(results))['ori_shape'] == (5, 8)
    assert EvaluateAtThisSize()({**results, 'gt_seg_map': np.zeros((5, 8), np.uint8)})['ori_shape'] == (5, 8)
    with pytest.raises(ValueError, match=r'a\.png is \(10, 16\) and its image \(5, 8\).*before Resize'):
        EvaluateAtThisSize()({**results, 'gt_seg_map': np.zeros((10, 16))})


@pytest.mark.parametrize(('domain', 'turned'), [('fonts', True), ('handwriting', False)])
def test_prints_become_light_on_dark_and_handwriting_stays_as_it_is(domain, turned):
    dataset, changed = DigitScenes(domain=domain, num_scenes=40), 0
    for number in range(40):
        scene = render_scene(dataset.get_data_info(number)['scene'])
        image = LightOnDark()({'img': scene.image})['img']
        assert image[scene.mask > 0].mean() > image[scene.mask == 0].mean()
        changed += not np.array_equal(image, scene.image)
    assert changed > 10 if turned else changed == 0


def test_an_image_is_inverted_in_its_own_range():
    image = np.array([[60000, 65535], [64000, 0]], np.uint16)
    light_on_dark = [[5535, 0], [1535, 65535]]
    assert LightOnDark()({'img': image})['img'].tolist() == light_on_dark
    assert LightOnDark()({'img': 65535 - image})['img'].tolist() == light_on_dark
    with pytest.raises(ValueError, match='got a float32 image'):
        LightOnDark()({'img': np.ones((2, 2, 3), np.float32)})


def scaled(low, high, height, width):
    label = np.arange(height * width, dtype=np.uint8).reshape(height, width) % 7
    fields = {'gt_seg_map': label, 'pseudo_confidence': label.astype(np.float32)}
    image = np.repeat(label[..., None], 3, axis=2)
    return RandomScale(low, high)({'img': image, **fields, 'seg_fields': list(fields)})


def test_the_factor_is_one_and_of_the_images_own_size():
    np.random.seed(0)
    factors = []
    for size in ((40, 60), (100, 50)) * 50:
        height, width = scaled(0.5, 1.5, *size)['img_shape']
        factors.append(height / size[0])
        assert abs(height / size[0] - width / size[1]) < 0.04
    assert 0.48 < min(factors) < 0.6
    assert 1.4 < max(factors) < 1.52
    results = scaled(0.7, 0.7, 30, 40)
    assert results['img'].shape == (21, 28, 3)
    assert results['gt_seg_map'].shape == (21, 28)
    assert np.array_equal(results['gt_seg_map'], results['pseudo_confidence'])


@pytest.fixture
def with_holes(tmp_path):
    image = np.random.default_rng(0).normal(size=(12, 10, 2)).astype(np.float32)
    image[:3, :, 0], image[5, 5] = np.nan, -9999
    np.save(tmp_path / 'a.npy', image)
    Image.fromarray(np.ones((12, 10), np.uint8)).save(tmp_path / 'a.png')
    paths = {'img_path': str(tmp_path / 'a.npy'), 'seg_map_path': str(tmp_path / 'a.png')}

    def load(**settings):
        steps = [{'type': 'mmdmt.LoadNpyImage', **settings}, {'type': 'LoadAnnotations'}]
        pipeline = CheckedPipeline([TRANSFORMS.build(step) for step in steps], CheckMask(2, 255), 1)
        return pipeline({**paths, 'seg_fields': [], 'label_map': None, 'reduce_zero_label': False})

    return load


def test_nodata_is_ignored_and_zero_where_it_is_declared(with_holes):
    with pytest.raises(ValueError, match=r'a\.npy holds 30 numbers that are NaN or infinite: say that .*nodata'):
        with_holes()
    results, without = with_holes(nodata=-9999), np.zeros((12, 10), bool)
    without[:3], without[5, 5] = True, True
    assert (results['img'][without] == 0).all()
    assert np.isfinite(results['img']).all()
    assert np.array_equal(results['gt_seg_map'], np.where(without, 255, 1))


@pytest.mark.parametrize(
    ('build', 'words'),
    [
        (lambda: RandomScale(0, 1), 'must be a range: give 0 < min_factor'),
        (lambda: RandomScale(1.5, 0.5), 'must be a range: give 0 < min_factor'),
    ],
)
def test_what_is_out_of_range_is_refused(build, words):
    with pytest.raises(ValueError, match=words):
        build()

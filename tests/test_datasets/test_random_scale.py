import numpy as np
import pytest

from mmdmt.datasets.transforms import RandomScale


def sample(height, width):
    label = np.arange(height * width, dtype=np.uint8).reshape(height, width) % 7
    return {
        'img': np.repeat(label[..., None], 3, axis=2),
        'gt_seg_map': label,
        'pseudo_confidence': label.astype(np.float32),
        'seg_fields': ['gt_seg_map', 'pseudo_confidence'],
    }


def test_the_factor_is_one_and_of_the_images_own_size():
    np.random.seed(0)
    factors = []
    for size in ((40, 60), (100, 50)) * 50:
        results = RandomScale(0.5, 1.5)(sample(*size))
        height, width = results['img_shape']
        factors.append(height / size[0])
        assert abs(height / size[0] - width / size[1]) < 0.04
    assert 0.48 < min(factors) < 0.6
    assert 1.4 < max(factors) < 1.52


def test_label_and_confidence_are_scaled_alike():
    results = RandomScale(0.7, 0.7)(sample(30, 40))
    assert results['img'].shape == (21, 28, 3)
    assert results['gt_seg_map'].shape == (21, 28)
    assert np.array_equal(results['gt_seg_map'], results['pseudo_confidence'])


@pytest.mark.parametrize('factors', [(0, 1), (1.5, 0.5), (-1, 2)])
def test_no_range_is_refused(factors):
    with pytest.raises(ValueError, match='are not a range: give 0 < min_factor'):
        RandomScale(*factors)

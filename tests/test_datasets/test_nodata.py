"""Pixels without data are zero, and their labels are ignored."""

import numpy as np
import pytest
from mmengine.registry import TRANSFORMS
from PIL import Image

from mmdmt.labels.pixels.masks import CheckMask
from mmdmt.rules.checked_pipeline import CheckedPipeline

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@pytest.fixture
def sample(tmp_path):
    image = np.random.default_rng(0).normal(size=(12, 10, 2)).astype(np.float32)
    image[:3, :, 0], image[5, 5] = np.nan, -9999
    np.save(tmp_path / 'a.npy', image)
    Image.fromarray(np.ones((12, 10), np.uint8)).save(tmp_path / 'a.png')
    return {
        'img_path': str(tmp_path / 'a.npy'),
        'seg_map_path': str(tmp_path / 'a.png'),
        'seg_fields': [],
        'label_map': None,
        'reduce_zero_label': False,
    }


def loaded(sample, **settings):
    steps = [{'type': 'mmdmt.LoadNpyImage', **settings}, {'type': 'LoadAnnotations'}]
    return CheckedPipeline([TRANSFORMS.build(step) for step in steps], CheckMask(2, 255), 1)(dict(sample))


def test_numbers_that_are_none_are_named_with_their_file(sample):
    with pytest.raises(ValueError, match=r'a\.npy holds 30 numbers that are NaN or infinite: say that .*nodata'):
        loaded(sample)


def test_nodata_is_ignored_and_zero(sample):
    results = loaded(sample, nodata=-9999)
    without = np.zeros((12, 10), bool)
    without[:3], without[5, 5] = True, True
    assert (results['img'][without] == 0).all()
    assert np.isfinite(results['img']).all()
    assert np.array_equal(results['gt_seg_map'], np.where(without, 255, 1))

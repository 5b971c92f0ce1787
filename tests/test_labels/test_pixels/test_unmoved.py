"""A pipeline of evaluated images moves nothing, but for what is undone."""

import random

import cv2
import numpy as np
import pytest
from mmcv.transforms import BaseTransform
from mmengine.registry import TRANSFORMS

from mmdmt.labels.pixels.unmoved import check_unmoved

pytestmark = pytest.mark.usefixtures('mmseg_scope')
PACK = {'type': 'PackSegInputs'}


class Warp(BaseTransform):
    """Move an image by a matrix, under a name that says nothing."""

    def __init__(self, matrix, share=1.0):
        self.matrix, self.share = np.float32(matrix), share

    def transform(self, results):
        if random.random() < self.share:
            height, width = results['img'].shape[:2]
            results['img'] = cv2.warpAffine(results['img'], self.matrix, (width, height))
        return results


class Cut(BaseTransform):
    """Cut the border off, and resize what is left to the size that it was."""

    def transform(self, results):
        height, width = results['img'].shape[:2]
        results['img'] = cv2.resize(results['img'][8:-8, 8:-8], (width, height))
        return results


def turn(degree, size):
    return cv2.getRotationMatrix2D((size[1] / 2, size[0] / 2), degree, 1.0)


def images(tmp_path, size=(120, 160), dtype=np.uint8):
    generator = np.random.default_rng(0)
    cv2.imwrite(str(tmp_path / 'a.png'), generator.integers(0, 255, (*size, 3)).astype(dtype))
    return {'img_path': str(tmp_path / 'a.png')}


def built(*steps):
    load = {'type': 'LoadImageFromFile'}
    return [step if callable(step) else TRANSFORMS.build(step) for step in (load, *steps, PACK)]


@pytest.mark.parametrize(
    'step',
    [
        Warp(turn(2, (120, 160))),
        Warp([[1, 0, 6], [0, 1, 0]]),
        Warp([[1, 0, 0], [0, 1, -5]]),
        Warp([[1, 0.1, 0], [0, 1, 0]]),
        Warp(turn(30, (120, 160)), share=0.3),
        Cut(),
        {'type': 'RandomCrop', 'crop_size': (50, 50)},
        {'type': 'mmpretrain.Rotate', 'angle': 15.0, 'prob': 1.0},
        lambda results: {**results, 'img': results['img'][:, ::-1]},
        lambda results: {**results, 'img': np.rot90(results['img'], 2)},
        lambda results: {**results, 'img': np.roll(results['img'], 40, axis=1)},
    ],
    ids=lambda step: step['type'] if isinstance(step, dict) else type(step).__name__,
)
@pytest.mark.parametrize('first', [None, {'type': 'Resize', 'scale_factor': 0.5}], ids=['as it is', 'resized'])
def test_what_moves_an_image_is_refused(tmp_path, step, first):
    with pytest.raises(ValueError, match='in the pipeline of the images turns, moves or cuts what an image shows'):
        check_unmoved('the images', built(*([first] if first else []), step), images(tmp_path))


@pytest.mark.parametrize('size', [(40, 44), (120, 160), (157, 201)])
@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_what_is_undone_or_moves_nothing_is_taken(tmp_path, size, dtype):
    steps = [
        [],
        [{'type': 'Resize', 'scale': (96, 80), 'keep_ratio': True}, {'type': 'Pad', 'size_divisor': 32}],
        [{'type': 'Resize', 'scale': (300, 100), 'keep_ratio': False}],
        [{'type': 'RandomFlip', 'prob': [0.3, 0.3, 0.3], 'direction': ['horizontal', 'vertical', 'diagonal']}],
        [{'type': 'Resize', 'scale_factor': 0.5}, {'type': 'RandomFlip', 'prob': 0.5}],
        [lambda results: {**results, 'img': (results['img'].max() - results['img']) // 2}],
    ]
    if dtype == np.uint8:
        steps.append([{'type': 'PhotoMetricDistortion'}])
    loader = {'type': 'LoadImageFromFile', 'imdecode_backend': 'cv2', 'color_type': 'unchanged'}
    for some in steps:
        pipeline = [TRANSFORMS.build(loader), *built(*some)[1:]]
        check_unmoved('the images', pipeline, images(tmp_path, size, dtype))


def test_views_are_checked_each(tmp_path):
    resized = [{'type': 'Resize', 'scale_factor': factor} for factor in (0.5, 1.0)]
    views = [resized, [{'type': 'RandomFlip', 'prob': 1.0}, {'type': 'RandomFlip', 'prob': 0.0}]]
    good = {'type': 'TestTimeAug', 'transforms': [*views, [PACK]]}
    check_unmoved('the images', [*built()[:1], TRANSFORMS.build(good)], images(tmp_path))
    turned = [{'type': 'RandomRotate', 'prob': 0.0, 'degree': 9}, {'type': 'RandomRotate', 'prob': 1.0, 'degree': 9}]
    bad = {'type': 'TestTimeAug', 'transforms': [*views, turned, [PACK]]}
    with pytest.raises(ValueError, match='RandomRotate in the pipeline of the images'):
        check_unmoved('the images', [*built()[:1], TRANSFORMS.build(bad)], images(tmp_path))


def test_random_numbers_are_as_before(tmp_path):
    state = np.random.get_state()[1].tolist(), random.getstate()
    check_unmoved('the images', built({'type': 'RandomFlip', 'prob': 0.5}), images(tmp_path))
    assert state == (np.random.get_state()[1].tolist(), random.getstate())


def test_what_cannot_be_loaded_is_left_to_the_run(tmp_path):
    check_unmoved('the images', built(), {'img_path': str(tmp_path / 'missing.png')})


def test_a_size_that_is_evaluated_may_be_cut(tmp_path):
    crop = {'type': 'CenterCrop', 'crop_size': 64}
    check_unmoved('the images', built(crop, {'type': 'mmdmt.EvaluateAtThisSize'}), images(tmp_path))

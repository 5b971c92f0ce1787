"""Which transforms may stand where the learner's view parts from the labeler's."""

from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import TRANSFORMS

from mmdmt.datasets.transforms.two_views import check_pixels_stay

pytestmark = pytest.mark.usefixtures('mmseg_scope')

BASES = Path(__file__).parents[2] / 'configs' / '_base_' / 'recipes'
RECIPES = [
    *Config.fromfile(BASES / 'strong_views.py').strong_views,
    *Config.fromfile(BASES / 'domain_adaptation.py').photometry,
]
COLORS = [
    {'type': 'PhotoMetricDistortion'},
    {'type': 'CLAHE'},
    {'type': 'RGB2Gray'},
    {'type': 'mmpretrain.Solarize', 'thr': 100, 'prob': 1.0},
    {'type': 'mmpretrain.Posterize', 'bits': 3, 'prob': 1.0},
    {'type': 'mmpretrain.Equalize', 'prob': 1.0},
    {'type': 'mmpretrain.Invert', 'prob': 1.0},
    {'type': 'mmpretrain.Sharpness', 'magnitude': 0.9, 'prob': 1.0},
    {'type': 'mmpretrain.GaussianBlur', 'radius': 4.0, 'prob': 1.0},
    {'type': 'mmpretrain.RandomErasing', 'erase_prob': 1.0},
]
MOVES = [
    {'type': 'RandomFlip', 'prob': 0.3},
    {'type': 'RandomRotate', 'prob': 0.5, 'degree': 5},
    {'type': 'mmpretrain.Rotate', 'angle': 3, 'prob': 0.5},
    {'type': 'mmpretrain.Shear', 'magnitude': 0.1, 'prob': 0.5},
    {'type': 'mmpretrain.Translate', 'magnitude': 1 / 64, 'prob': 0.5},  # by a pixel
    {'type': 'RandomApply', 'prob': 0.3, 'transforms': [{'type': 'mmpretrain.Rotate', 'angle': 10, 'prob': 1.0}]},
]


@pytest.fixture(autouse=True)
def mmpretrains_transforms():
    import mmpretrain.datasets  # noqa: F401


@pytest.mark.parametrize('config', RECIPES + COLORS, ids=lambda config: config['type'])
def test_what_changes_colors_may(config):
    check_pixels_stay(TRANSFORMS.build(config))


@pytest.mark.parametrize('config', MOVES, ids=lambda config: config['type'])
def test_what_moves_pixels_must_stand_before(config):
    with pytest.raises(ValueError, match='which moves pixels: both views need one geometry, so put it before TwoViews'):
        check_pixels_stay(TRANSFORMS.build(config))

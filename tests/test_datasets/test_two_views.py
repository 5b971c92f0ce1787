"""Which transforms may stand where the learner's view parts from the labeler's."""

from pathlib import Path

import pytest
from mmengine.config import Config

from mmdmt.datasets.pipeline_checks import check_views
from mmdmt.datasets.transforms.two_views import TwoViews
from mmdmt.rules.known_transforms import moves_pixels

BASES = Path(__file__).parents[2] / 'configs' / '_base_' / 'recipes'
RECIPES = [
    *Config.fromfile(BASES / 'strong_views.py').strong_views,
    *Config.fromfile(BASES / 'domain_adaptation.py').photometry,
]
COLORS = [
    {'type': 'PhotoMetricDistortion'},
    {'type': 'CLAHE'},
    {'type': 'mmpretrain.Solarize', 'thr': 100, 'prob': 1.0},
    {'type': 'mmpretrain.RandomErasing', 'erase_prob': 1.0},
]
MOVES = [
    {'type': 'RandomFlip', 'prob': 0.3},
    {'type': 'mmpretrain.Rotate', 'angle': 3, 'prob': 0.5},
    {'type': 'RandomApply', 'prob': 0.3, 'transforms': [{'type': 'mmpretrain.Rotate', 'angle': 10, 'prob': 1.0}]},
]


@pytest.mark.parametrize('config', RECIPES + COLORS, ids=lambda config: config['type'])
def test_what_changes_colors_may(config):
    assert moves_pixels(config) == ''


@pytest.mark.parametrize('config', MOVES, ids=lambda config: config['type'])
def test_what_moves_pixels_must_stand_before(config):
    assert moves_pixels(config) == config.get('transforms', [config])[0]['type'].rpartition('.')[2]


def test_the_user_vouches_for_a_transform_of_their_own(mmseg_scope):
    from mmcv.transforms import BaseTransform
    from mmengine.registry import TRANSFORMS

    class Noise(BaseTransform):
        def transform(self, results):
            return results

    TRANSFORMS.register_module(module=Noise, force=True)
    with pytest.raises(
        ValueError, match=r'holds Noise, which is not known to .* or vouch for it with keeps_pixels=True'
    ):
        check_views([TwoViews([{'type': 'CLAHE'}, {'type': 'Noise'}]), None], pixels=True)
    check_views([TwoViews([{'type': 'CLAHE'}, {'type': 'Noise', 'keeps_pixels': True}]), None], pixels=True)
    check_views([TwoViews([{'type': 'Noise'}]), None], pixels=False)

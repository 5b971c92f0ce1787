import numpy as np
import pytest

from mmdmt.datasets.transforms import RandomWarp
from mmdmt.labels.pixels.geometry import KnownLabel

STILL = dict(degrees=0, shear=0, stretch=1, bend=0)


def sample(height, width, dtype=np.uint8):
    label = (np.arange(height * width).reshape(height, width) % 11).astype(np.uint8)
    return {
        'img': np.repeat(label[..., None], 3, axis=2).astype(dtype),
        'gt_seg_map': label,
        'pseudo_confidence': label.astype(np.float32),
        'seg_fields': ['gt_seg_map', 'pseudo_confidence'],
    }


@pytest.fixture
def largest(monkeypatch):
    """Make every draw the largest there is."""
    monkeypatch.setattr(
        np.random, 'uniform', lambda low, high, size=None: high if size is None else np.full(size, high, float)
    )


def test_nothing_moves_without_a_range_to_draw_from():
    results = RandomWarp(**STILL)(sample(20, 30))
    for field, value in sample(20, 30).items():
        assert np.array_equal(results[field], value), field


def test_a_quarter_turn_is_one(largest):
    results = RandomWarp(**{**STILL, 'degrees': 90})(sample(21, 21))
    turned = np.rot90(sample(21, 21)['gt_seg_map'])
    assert np.array_equal(results['gt_seg_map'], turned)
    assert np.array_equal(results['pseudo_confidence'], turned)
    assert np.array_equal(results['img'][..., 0], turned)


def test_a_shear_moves_a_row_by_its_distance_from_the_center(largest):
    before, results = sample(5, 9), RandomWarp(**{**STILL, 'shear': 1})(sample(5, 9))
    for row in range(5):
        for column in range(9):
            there = column + row - 2
            there = -there if there < 0 else 16 - there if there > 8 else there  # mirrored at the ends
            assert results['gt_seg_map'][row, column] == before['gt_seg_map'][row, there]
            assert results['img'][row, column, 1] == before['img'][row, there, 1]


def test_stretching_shows_the_center_and_a_bend_shifts_by_a_part_of_the_longer_side(largest):
    results = RandomWarp(**{**STILL, 'stretch': 2})(sample(9, 9))
    # A pixel comes from twice as far from the center as it is: all of the image, and mirrored what is beyond.
    assert np.array_equal(results['gt_seg_map'][2:7, 2:7], sample(9, 9)['gt_seg_map'][::2, ::2])
    results = RandomWarp(**{**STILL, 'bend': 0.1})(sample(20, 40))
    assert np.array_equal(results['gt_seg_map'][:16, :36], sample(20, 40)['gt_seg_map'][4:, 4:])


def test_image_label_and_confidence_go_the_same_way():
    np.random.seed(0)
    known = KnownLabel.draw((96, 128), 255, np.random.default_rng(0))
    results = {
        'img': np.repeat(known.label[..., None], 3, axis=2),
        'gt_seg_map': known.label,
        'pseudo_confidence': known.confidence,
        'seg_fields': ['gt_seg_map', 'pseudo_confidence'],
    }
    for _ in range(5):
        warped = RandomWarp()(dict(results))
        assert not np.array_equal(warped['gt_seg_map'], known.label)
        assert known.fault(warped['gt_seg_map'], warped['pseudo_confidence'], 255) == ''
        # At the borders of blocks, about a fifth of the pixels, the image is interpolated.
        assert (warped['img'][..., 0] == warped['gt_seg_map']).mean() > 0.75


def test_the_probability_is_that_of_being_warped():
    np.random.seed(0)
    warped = sum(not np.array_equal(RandomWarp(prob=0.3)(sample(8, 8))['img'], sample(8, 8)['img']) for _ in range(500))
    assert 110 < warped < 190


@pytest.mark.parametrize(('dtype', 'channels'), [(np.uint8, 1), (np.uint16, 3), (np.float32, 5)])
def test_the_image_keeps_its_form(dtype, channels):
    results = RandomWarp()({'img': np.ones((12, 10, channels), dtype)})
    assert results['img'].shape == (12, 10, channels)
    assert results['img'].dtype == dtype
    assert (results['img'] == 1).all()


@pytest.mark.parametrize(('argument', 'value'), [('degrees', -1), ('bend', float('nan')), ('nodes', 2.5)])
def test_what_is_outside_its_range_is_refused(argument, value):
    with pytest.raises(ValueError, match=f'{argument}={value} of RandomWarp: give '):
        RandomWarp(**{argument: value})

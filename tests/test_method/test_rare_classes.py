from collections import Counter

import numpy as np
import pytest

from mmdmt.method.draws import DrawPlan, PeerPool, RareClasses

# Class 2 is rare and shown enough by image 3 alone; class 3 never.
COUNTS = np.array([[90, 10, 0, 0], [80, 20, 0, 0], [70, 26, 4, 0], [60, 20, 20, 0]])


def plan_of(rare_classes, seed=0):
    pools = (PeerPool('a', range(4), range(9), 'bank'), PeerPool('b', range(2), range(9), 'bank'))
    return DrawPlan(seed, 1, 0, 100, 2, 1, pools, rare_classes)


def test_probabilities_are_the_softmax_of_rarity_over_classes_that_show():
    rare = RareClasses(COUNTS, temperature=0.5, min_pixels=10)
    frequency = COUNTS.sum(axis=0) / COUNTS.sum()
    expected = np.exp((1 - frequency[:3]) / 0.5)
    np.testing.assert_allclose(rare.probabilities(range(4)), [*(expected / expected.sum()), 0])


def test_rare_classes_are_drawn_oftener_from_images_that_show_them():
    plan = plan_of(RareClasses(COUNTS, temperature=0.05, min_pixels=10))
    draws = [draw for n in range(100) for draw in plan.batch(n) if draw.peer == 'a' and draw.bank is None]
    wanted = Counter(draw.wanted[0] for draw in draws)
    assert wanted[2] > wanted[1] > wanted[0] >= 0
    assert all(COUNTS[draw.image, draw.wanted[0]] >= 10 for draw in draws)
    assert all(draw.wanted[1] == 5 for draw in draws)
    assert {draw.image for draw in draws if draw.wanted[0] == 2} == {3}


def test_a_draw_depends_on_seed_peer_iteration_and_slot_alone():
    rare = RareClasses(COUNTS, min_pixels=10)
    assert plan_of(rare).batch(7) == plan_of(rare).batch(7)
    assert plan_of(rare).batch(7) != plan_of(rare).batch(8)
    whole = [draw for draw in plan_of(rare).batch(5, 0, 1)]
    halves = [plan_of(rare).batch(5, rank, 1)[0] for rank in (0,)]
    assert halves == whole[:1]


def test_a_peer_draws_from_its_own_part_alone():
    plan = plan_of(RareClasses(COUNTS, temperature=1.0, min_pixels=15))
    drawn = {draw.image for n in range(50) for draw in plan.batch(n) if draw.peer == 'b' and draw.bank is None}
    assert drawn == {0, 1}


@pytest.mark.parametrize(
    ('settings', 'words'),
    [
        ({'min_pixels': 1000}, 'min_pixels=1000 .* of any is 90'),
        ({'min_pixels': 0}, 'min_pixels=0'),
        ({'temperature': 0}, 'temperature=0'),
    ],
)
def test_settings_that_draw_nothing_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        RareClasses(COUNTS, **settings)

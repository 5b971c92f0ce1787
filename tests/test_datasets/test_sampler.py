from collections import Counter

import pytest

from mmdmt.datasets.sampler import MutualBatchSampler
from mmdmt.method.draws import DrawPlan, PeerPool


def plan_of(labeled=2, pseudo=6, start=100, stop=140, seed=0, phase=1, unlabeled=30):
    pools = (PeerPool('a', range(8), range(unlabeled), 'bank/b'), PeerPool('b', range(8), range(unlabeled), 'bank/a'))
    return DrawPlan(seed, phase, start, stop, labeled, pseudo, pools)


def test_every_batch_has_the_phases_composition_for_each_peer():
    for iteration in range(100, 140):
        draws = plan_of().batch(iteration)
        counts = Counter((draw.peer, draw.bank) for draw in draws)
        assert counts == {('a', None): 2, ('a', 'bank/b'): 6, ('b', None): 2, ('b', 'bank/a'): 6}


def test_every_image_is_seen_once_before_any_is_seen_again():
    draws = [draw for iteration in range(100, 105) for draw in plan_of().batch(iteration)]
    for peer in 'ab':
        assert sorted(draw.image for draw in draws if draw.peer == peer and draw.bank) == list(range(30))


def test_a_batch_depends_on_its_iteration_alone():
    sampler = MutualBatchSampler(None, 8)
    sampler.start(plan_of(), 100)
    whole = list(sampler)
    sampler.start(plan_of(), 123)
    assert list(sampler) == whole[23:]
    assert len(whole) == 40


def test_peers_phases_and_seeds_draw_differently():
    def indices(peer='a', **settings):
        return [d.image for n in range(100, 110) for d in plan_of(**settings).batch(n) if d.peer == peer and d.bank]

    assert indices() == indices()
    assert len({tuple(x) for x in (indices(), indices(peer='b'), indices(phase=2), indices(seed=1))}) == 4


def test_no_two_samples_share_their_seed():
    seeds = [draw.seed for iteration in range(100, 140) for draw in plan_of().batch(iteration)]
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize('world_size', [2, 4])
def test_processes_share_the_batch_of_one(world_size):
    def by_stream(draws):
        return {
            (p, bool(b)): sorted(d for d in draws if (d.peer, bool(d.bank)) == (p, b)) for p in 'ab' for b in (0, 1)
        }

    alone = plan_of(labeled=world_size, pseudo=3 * world_size)
    shared = plan_of(labeled=1, pseudo=3)
    for iteration in (100, 107):
        together = [draw for rank in range(world_size) for draw in shared.batch(iteration, rank, world_size)]
        assert by_stream(together) == by_stream(alone.batch(iteration))


def test_a_labeled_subset_is_drawn_from_alone():
    pools = (PeerPool('a', [1, 5, 7], range(30), None),)
    plan = DrawPlan(0, 0, 0, 10, 4, 0, pools)
    assert {draw.image for n in range(10) for draw in plan.batch(n)} == {1, 5, 7}


def test_before_the_first_phase_there_is_nothing_to_draw():
    sampler = MutualBatchSampler(None, 8)
    assert list(sampler) == []
    assert len(sampler) == 0

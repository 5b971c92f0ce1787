import pytest

from mmdmt.method.phases import Curriculum, Phase

WARM_UP = {'iters': 500, 'labeled': 8}
ONLINE = {'iters': 250, 'labeled': 4, 'pseudo': 4, 'online': {'labeler': 'average', 'min_confidence': 0.95}}
ROUND = {'iters': 250, 'labeled': 1, 'pseudo': 7, 'label_ratio': 0.2}


def test_phases_lie_end_to_end():
    curriculum = Curriculum.from_configs([WARM_UP, ROUND, {**ROUND, 'iters': 100}])
    assert curriculum.ends == (500, 750, 850)
    assert [curriculum.start(i) for i in range(3)] == [0, 500, 750]
    assert curriculum.total_iters == 850


@pytest.mark.parametrize(('iteration', 'phase'), [(0, 0), (499, 0), (500, 1), (749, 1), (750, 2), (849, 2), (850, 2)])
def test_an_iteration_belongs_to_one_phase(iteration, phase):
    assert Curriculum.from_configs([WARM_UP, ROUND, {**ROUND, 'iters': 100}]).at(iteration) == phase


@pytest.mark.parametrize(
    ('config', 'words'),
    [
        ({'iters': 0, 'labeled': 8}, 'iters=0'),
        ({'iters': 5, 'labeled': 0}, 'labeled=0, pseudo=0'),
        ({**ROUND, 'label_ratio': 0.0}, r'label_ratio=0.0.*\(0, 1\]'),
        ({**ROUND, 'label_ratio': 1.2}, r'label_ratio=1.2.*\(0, 1\]'),
        ({'iters': 5, 'labeled': 1, 'pseudo': 7}, 'pseudo=7 .*give label_ratio'),
        ({'iters': 5, 'labeled': 8, 'label_ratio': 0.5}, 'label_ratio=0.5.*give pseudo'),
        ({**WARM_UP, 'lr': 0.1, 'lr_factor': 0.5}, 'exclude each other'),
        ({**ROUND, 'labeled': 0, 'labeled_lists': {'a': 'a.txt'}}, 'labeled_lists'),
        ({**WARM_UP, 'labels': 8}, "unexpected keyword argument 'labels'"),
        ({**ROUND, 'online': {}}, 'label_ratio=0.2 and online={} exclude each other'),
        ({**WARM_UP, 'online': {}}, 'online={} makes pseudo labels that no batch uses'),
        ({**ONLINE, 'online': {'labeler': 'teacher'}}, "labeler='teacher' of online: give one of"),
        ({**ONLINE, 'online': {'labeller': 'average'}}, "unexpected keyword argument 'labeller'"),
        ({**ONLINE, 'online': {'min_confidence': 95}}, 'min_confidence=95 of online'),
        ({**ONLINE, 'online': {'window': 9}}, 'window=9 of online'),
        ({**ONLINE, 'online': {'weigh_by': 'both'}}, "weigh_by='both' of online"),
        ({**ONLINE, 'online': {'label_ratio': 50}}, r'label_ratio=50 of online: .*\(0, 1\]'),
        ({**ONLINE, 'online': 'average'}, "online='average': give a dict"),
        ({**ONLINE, 'min_confidence': 0.5}, 'min_confidence=0.5: give it inside of online'),
        ({**WARM_UP, 'min_confidence': 0.5}, 'is for pseudo labels, of which there are none'),
    ],
)
def test_a_wrong_phase_is_named(config, words):
    with pytest.raises(ValueError, match=r'phases\[1\]') as error:
        Curriculum.from_configs([WARM_UP, config])
    assert error.match(words)


def test_a_phase_tells_what_it_is():
    assert Phase(**ROUND).kind == '1 labeled + 7 pseudo-labeled images a batch, label ratio 0.2'
    online = '4 labeled + 4 pseudo-labeled images a batch, labels online by average, of confidence 0.95 or more'
    assert Phase(**ONLINE).kind == online
    share = '4 labeled + 4 pseudo-labeled images a batch, labels online by weights, label ratio 0.5 in each batch'
    assert Phase(**{**ONLINE, 'online': {'label_ratio': 0.5}}).kind == share


def test_the_compact_form_is_a_warm_up_and_the_papers_five_phases():
    curriculum = Curriculum.compact(warm_up=8978, iters=5744, labeled=1, pseudo=7, lr_factor=0.5)
    phase = {'iters': 5744, 'labeled': 1, 'pseudo': 7, 'lr_factor': 0.5}
    ratios = (0.2, 0.4, 0.6, 0.8, 1.0)
    in_full = [{'iters': 8978, 'labeled': 8}, *({**phase, 'label_ratio': ratio} for ratio in ratios)]
    assert curriculum == Curriculum.from_configs(in_full)
    assert (curriculum.warm_up, curriculum.total_iters) == (8978, 8978 + 5 * 5744)


@pytest.mark.parametrize(
    ('words', 'in_full'),
    [
        ({'warm_up': 9, 'labeled': 8, 'ratios': ()}, [{'iters': 9, 'labeled': 8}]),
        ({'warm_up': 9, 'iters': (1, 2), 'labeled': 1, 'pseudo': 7, 'ratios': []}, [{'iters': 9, 'labeled': 8}]),
        (
            {'iters': [3, 4], 'labeled': 1, 'pseudo': 7, 'ratios': (0.5, 1.0)},
            [{**ROUND, 'iters': 3, 'label_ratio': 0.5}, {**ROUND, 'iters': 4, 'label_ratio': 1.0}],
        ),
        ({**ONLINE, 'warm_up': 5}, [{'iters': 5, 'labeled': 8}, ONLINE]),
        (
            {**ONLINE, 'warm_up': 5, 'warm_up_lists': {'a': 'a.txt'}},
            [{'iters': 5, 'labeled': 8, 'labeled_lists': {'a': 'a.txt'}}, ONLINE],
        ),
    ],
    ids=['warm-up', 'warm-up of phases', 'lengths', 'online', 'lists'],
)
def test_the_compact_form_says_other_runs(words, in_full):
    assert Curriculum.compact(**words) == Curriculum.from_configs(in_full)


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        ({'warm_up': 5, 'labeled': 8}, r'iters=None must be the length of 5 phases: give one number .* ratios=\(\)'),
        ({'iters': (1, 2), 'labeled': 1, 'pseudo': 7}, r'iters=\(1, 2\) must be the length of 5 phases'),
        ({**ONLINE, 'ratios': (0.5,)}, r'ratios=\[0.5\] and online=.* exclude each other'),
        ({'warm_up': '5', 'labeled': 8, 'ratios': ()}, "warm_up='5' of DMTHook: give a whole number"),
        ({'iters': 1, 'labeled': 1, 'pseudo': 7, 'ratios': (20,)}, r'phases\[0\].*label_ratio=20'),
        ({'labeled': 8, 'ratios': ()}, 'iters=0 of a phase: give a whole number >= 1'),
        ({'iters': 5, 'labeled': 8}, r'phases\[0\].*label_ratio=0.2 makes pseudo labels that no batch uses'),
    ],
)
def test_compact_words_that_make_no_phases_are_named(words, message):
    with pytest.raises(ValueError, match=message):
        Curriculum.compact(**words)

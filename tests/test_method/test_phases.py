import pytest

from mmdmt.method.phases import Curriculum, Phase

WARM_UP = {'iters': 500, 'labeled': 8}
ROUND = {'iters': 250, 'labeled': 1, 'pseudo': 7, 'label_ratio': 0.2}


def test_phases_lie_end_to_end():
    curriculum = Curriculum.from_configs([WARM_UP, ROUND, {**ROUND, 'iters': 100}])
    assert curriculum.ends == (500, 750, 850)
    assert [curriculum.start(i) for i in range(3)] == [0, 500, 750]
    assert curriculum.total_iters == 850


@pytest.mark.parametrize(('iteration', 'phase'), [(0, 0), (499, 0), (500, 1), (749, 1), (750, 2), (849, 2), (850, 2)])
def test_an_iteration_belongs_to_one_phase(iteration, phase):
    assert Curriculum.from_configs([WARM_UP, ROUND, {**ROUND, 'iters': 100}]).at(iteration) == phase


def test_a_run_may_begin_with_pseudo_labels():
    assert Curriculum.from_configs([ROUND])[0].label_ratio == 0.2


@pytest.mark.parametrize(
    ('config', 'words'),
    [
        ({'iters': 0, 'labeled': 8}, 'iters=0'),
        ({'iters': 5, 'labeled': 0}, 'labeled=0, pseudo=0'),
        ({'iters': 5, 'labeled': -1, 'pseudo': 8, 'label_ratio': 0.5}, 'labeled=-1'),
        ({**ROUND, 'label_ratio': 0.0}, r'label_ratio=0.0.*\(0, 1\]'),
        ({**ROUND, 'label_ratio': 1.2}, r'label_ratio=1.2.*\(0, 1\]'),
        ({'iters': 5, 'labeled': 1, 'pseudo': 7}, 'pseudo=7 .*give label_ratio'),
        ({'iters': 5, 'labeled': 8, 'label_ratio': 0.5}, 'label_ratio=0.5.*give pseudo'),
        ({**WARM_UP, 'lr': 0.0}, 'lr=0.0'),
        ({**WARM_UP, 'lr_factor': -1.0}, 'lr_factor=-1.0'),
        ({**WARM_UP, 'lr': 0.1, 'lr_factor': 0.5}, 'exclude each other'),
        ({**ROUND, 'labeled': 0, 'labeled_lists': {'a': 'a.txt'}}, 'labeled_lists'),
        ({**WARM_UP, 'labeled': 8}, 'labeled'),
    ],
)
def test_a_wrong_phase_is_named(config, words):
    with pytest.raises(ValueError, match=r'phases\[1\]') as error:
        Curriculum.from_configs([WARM_UP, config])
    assert error.match(words)


def test_no_phase_is_refused():
    with pytest.raises(ValueError, match='at least one phase'):
        Curriculum.from_configs([])


def test_a_phase_tells_what_it_is():
    assert Phase(**ROUND).kind == '1 labeled + 7 pseudo-labeled images a batch, label ratio 0.2'

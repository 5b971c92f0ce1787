"""The loop that is as long as the phases of DMTHook."""

import pytest
from mmengine.runner import Runner
from mmengine.runner.utils import calc_dynamic_intervals
from toys.segmentation import run_config

from mmdmt.engine import DMTHook, PhaseTrainLoop

pytestmark = pytest.mark.usefixtures('mmseg_scope')

COMPACT = {'warm_up': 3, 'iters': 3, 'labeled': 2, 'pseudo': 2, 'ratios': (0.5, 1.0)}


@pytest.fixture
def runner_of(shapes_folder, tmp_path):
    """Make a runner of the toy run with a hook and a loop in the compact form."""

    def make(loop, words=COMPACT):
        config = run_config(shapes_folder, tmp_path / 'work')
        kept = {key: value for key, value in config.custom_hooks[0].items() if key != 'phases'}
        config.custom_hooks[0] = {**kept, **words}
        config.train_cfg = {'type': 'mmdmt.PhaseTrainLoop', **loop}
        config.experiment_name = f'phases-{tmp_path.name}'
        return Runner.from_cfg(config)

    return make


def test_a_run_is_as_long_as_its_phases_and_schedules_end_with_them(runner_of):
    runner = runner_of({'val_interval': 4})
    runner.train()
    assert isinstance(runner.train_loop, PhaseTrainLoop)
    assert (runner.max_iters, runner.iter) == (9, 9)


def test_after_the_warm_up_a_run_may_be_validated_at_another_interval(runner_of):
    loop = runner_of({'val_interval': 4, 'phase_val_interval': 2}).build_train_loop(
        {'type': 'mmdmt.PhaseTrainLoop', 'val_interval': 4, 'phase_val_interval': 2}
    )
    assert (loop.dynamic_milestones, loop.dynamic_intervals) == calc_dynamic_intervals(4, [(3, 2)])


def test_a_length_that_is_not_the_sum_of_the_phases_is_said_with_both(runner_of):
    with pytest.raises(
        ValueError, match=r'is 8 in train_cfg.max_iters, but 9 in the phases of DMTHook \(3 \+ 3 \+ 3\)'
    ):
        runner_of({'max_iters': 8}).train()


@pytest.mark.parametrize(
    ('loop', 'hooks', 'message'),
    [
        ({}, [], 'as long as the phases of mmdmt.DMTHook, but custom_hooks has none: add one'),
        ({'phase_val_interval': 2, 'dynamic_intervals': [(3, 2)]}, None, 'phase_val_interval=2 and dynamic_intervals'),
    ],
)
def test_a_loop_without_phases_or_with_two_intervals_is_refused(runner_of, loop, hooks, message):
    runner = runner_of({})
    if hooks is not None:
        runner._hooks = hooks
    with pytest.raises(ValueError, match=message):
        runner.build_train_loop({'type': 'mmdmt.PhaseTrainLoop', **loop})


def test_phases_and_compact_words_exclude_each_other():
    with pytest.raises(ValueError, match='its phases in one form, got phases and warm_up and ratios: give'):
        DMTHook(phases=[{'iters': 1, 'labeled': 1}], warm_up=3, ratios=())

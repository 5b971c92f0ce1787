import copy
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import ParamSchedulerHook
from mmengine.optim import LinearLR, OptimWrapper, PolyLR

from mmdmt.engine.resumed_schedules import changed_settings, check_schedules
from mmdmt.method.phases import Curriculum

CURRICULUM = Curriculum.from_configs(
    [{'iters': 4, 'labeled': 2}, {'iters': 8, 'labeled': 1, 'pseudo': 1, 'label_ratio': 0.5}]
)


def build(lr=0.1, momentum=0.9, end=8, power=0.9):
    """A run at the start of phase 1 of its config."""
    parameter = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([parameter], lr, momentum=momentum)
    schedules = [
        LinearLR(optimizer, 0.1, by_epoch=False, end=2),
        PolyLR(optimizer, power=power, begin=2, end=end, by_epoch=False),
    ]
    return SimpleNamespace(
        optim_wrapper={'left': OptimWrapper(optimizer)},
        param_schedulers={'left': schedules},
        hooks=[ParamSchedulerHook()],
    )


def trained(done, **settings):
    """Its checkpoint so many iterations into phase 1."""
    runner = build(**settings)
    for _ in range(done):
        runner.optim_wrapper['left'].optimizer.step()
        for schedule in runner.param_schedulers['left']:
            schedule.step()
    return {
        'meta': {'iter': 4 + done},
        'dmt': {'ends': [4, 12]},
        'optimizer': {'left': copy.deepcopy(runner.optim_wrapper['left'].state_dict())},
        'param_schedulers': {
            'left': [copy.deepcopy(schedule.state_dict()) for schedule in runner.param_schedulers['left']]
        },
    }


@pytest.mark.parametrize('done', [*range(9)])
def test_a_run_of_the_same_config_is_resumed_without_a_word(done):
    checkpoint, runner = trained(done), build()
    check_schedules('a.pth', checkpoint, runner, CURRICULUM)
    assert changed_settings(checkpoint, runner, CURRICULUM) == []


@pytest.mark.parametrize(
    ('number', 'changes', 'words'),
    [
        (1, {'total_iters': 0}, 'PolyLR of peer .left. with total_iters=0 from iteration 2 to 8'),
        (0, {'total_iters': 7}, 'LinearLR of peer .left. with total_iters=7 from iteration 0 to 2'),
        (1, {'_global_step': 7}, 'PolyLR of peer .left. with _global_step=7 after 3 of the 8 iterations of phase 1'),
        (1, {'last_step': 5}, 'with last_step=5'),
        (0, {'last_step': 2}, 'LinearLR of peer .left. with last_step=2'),
        (1, {'begin': 9}, 'with begin=9 and end=8'),
        (1, {'end': 80, 'total_iters': 77}, 'with begin=2 and end=80'),
        (1, {'base_values': [5.0]}, 'with base_values of 5.0, which are not the initial_lr of its optimizer'),
    ],
)
def test_a_schedule_that_contradicts_the_run_is_refused(number, changes, words):
    checkpoint = trained(3)
    checkpoint['param_schedulers']['left'][number].update(changes)
    with pytest.raises(ValueError, match=f'a.pth, the checkpoint to resume, has a .*{words}') as error:
        check_schedules('a.pth', checkpoint, build(), CURRICULUM)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize(
    ('settings', 'key', 'own', 'given'),
    [
        ({'lr': 0.5}, 'optim_wrapper.optimizer.lr', '0.5', '0.1'),
        ({'momentum': 0.8}, 'optim_wrapper.optimizer.momentum', '0.8', '0.9'),
        ({'end': 6}, 'PolyLR.end', '6', '8'),
        ({'power': 2.0}, 'PolyLR.power', '2', '0.9'),
    ],
)
def test_a_setting_that_was_changed_is_told_with_both_values(settings, key, own, given):
    checkpoint, runner = trained(3), build(**settings)
    check_schedules('a.pth', checkpoint, runner, CURRICULUM)
    (told,) = changed_settings(checkpoint, runner, CURRICULUM)
    assert told.startswith(
        f"The config has {key}={own} for peer 'left', but the checkpoint to resume was trained with {given}: "
        f'{key}={given} stays to the end of the run.'
    )


def test_a_changed_setting_stays_until_the_next_phase_if_there_is_one():
    longer = Curriculum((*CURRICULUM.phases, CURRICULUM[1]))
    (told,) = changed_settings(trained(3), build(lr=0.5), longer)
    assert 'lr=0.1 stays until phase 2 begins at iteration 12.' in told


def test_a_learning_rate_that_no_schedule_has_set_is_told():
    checkpoint = trained(3)
    checkpoint['optimizer']['left']['param_groups'][0]['lr'] = 5.0
    (told,) = changed_settings(checkpoint, build(), CURRICULUM)
    last = checkpoint['param_schedulers']['left'][-1]['_last_value'][0]
    assert told == (
        "The checkpoint to resume has lr=5 for peer 'left', which its schedules had set to "
        f'{last:.6g}: the run goes on from 5.'
    )

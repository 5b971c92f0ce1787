import copy
import logging
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.hooks import CheckpointHook, EMAHook
from mmengine.logging import HistoryBuffer
from mmengine.optim import PolyLR

from mmdmt.engine.checkpoint_state import check_state, confine


@pytest.fixture
def runner(tmp_path):
    optimizers = {}
    for name in ('left', 'right'):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(2, 3))], 0.1, momentum=0.9)
        optimizer.param_groups[0]['params'][0].grad = torch.ones(2, 3)
        optimizer.step()
        optimizers[name] = SimpleNamespace(optimizer=optimizer)
    return SimpleNamespace(
        optim_wrapper=optimizers,
        param_schedulers={name: [PolyLR(one.optimizer, power=0.9, end=6)] for name, one in optimizers.items()},
        hooks=[CheckpointHook(by_epoch=False)],
        work_dir=str(tmp_path),
        logger=logging.getLogger(),
    )


@pytest.fixture
def checkpoint(runner):
    return {
        'dmt': {'run': '20260101_000000', 'phase': 0, 'ends': [3, 6], 'best': {'left': 0.5}},
        'meta': {'iter': 2, 'epoch': 0, 'seed': 0},
        'state_dict': {},
        'optimizer': {name: copy.deepcopy(one.optimizer.state_dict()) for name, one in runner.optim_wrapper.items()},
        'param_schedulers': {name: [one.state_dict() for one in of] for name, of in runner.param_schedulers.items()},
        'message_hub': {
            'log_scalars': {'loss': HistoryBuffer()},
            'runtime_info': {'keep_ckpt_ids': [1, 2]},
            'resumed_keys': {'loss': True},
        },
    }


def history(**values):
    made = HistoryBuffer()
    vars(made).update(values)
    return made


def test_the_state_of_a_run_passes(runner, checkpoint):
    check_state('a.pth', checkpoint, runner, 6)


@pytest.mark.parametrize(
    ('place', 'value', 'words'),
    [
        ('dmt.run', '../../home', "dmt.run='../../home'"),
        ('dmt.run', '/home', "dmt.run='/home'"),
        ('dmt.run', None, 'dmt.run=None'),
        ('dmt.ends', [6, 3], 'dmt.ends'),
        ('dmt.ends', 'soon', 'dmt.ends'),
        ('dmt.best', {'left': '1'}, 'dmt.best'),
        ('meta.iter', 'one', "meta.iter='one'"),
        ('meta.iter', -3, 'meta.iter=-3'),
        ('meta.iter', 10**9, 'from 0 to 6, the last of the run'),
        ('meta.iter', True, 'meta.iter=True'),
        ('meta.epoch', None, 'meta.epoch'),
        ('meta.seed', 'x', 'meta.seed'),
        ('message_hub', {}, 'a message_hub without'),
        ('message_hub.log_scalars', {'loss': 1.0}, 'not histories'),
        ('message_hub.resumed_keys', {'loss': 'yes'}, 'neither true nor false'),
        ('message_hub.runtime_info', {'keep_ckpt_ids': ['../x']}, 'keep_ckpt_ids'),
        ('message_hub.runtime_info', {'best_score': 'x'}, "best_score='x', which must be a number"),
        ('optimizer', {'left': {}}, r"optimizers for \['left'\], while the peers are"),
        ('optimizer.left', {}, 'without state and param_groups'),
        ('optimizer.left.param_groups', [{'params': [0, 1]}], 'for other parameters'),
        (
            'optimizer.left.param_groups',
            [{'params': []}, {'params': [0]}],
            r'with other param_groups \(2\) than the config makes \(1, see',
        ),
        ('optimizer.left.state', {0: {'momentum_buffer': torch.ones(3)}}, r'shape \(3,\) for a parameter of \(2, 3\)'),
        ('param_schedulers', None, 'save_param_scheduler=False'),
        ('param_schedulers', {'left': [{}]}, 'param_schedulers of another config'),
        ('param_schedulers.left.0', {}, 'another config: PolyLR has no '),
        ('param_schedulers.left.0.power', 'x', "PolyLR has power='x'"),
        ('param_schedulers.left.0.last_step', -7, 'PolyLR has last_step=-7'),
        ('param_schedulers.left.0.base_values', [0.1, 0.2], 'PolyLR has base_values='),
        ('param_schedulers.left.0.step', 'mine', 'PolyLR has step, which it does not have'),
        ('optimizer.left.param_groups.0.lr', '0.1', "with lr='0.1' in its param_groups"),
        ('optimizer.left.param_groups.0.lr', math.nan, 'with lr=nan in its param_groups'),
        ('optimizer.left.param_groups.0.lr', -1.0, 'with lr=-1.0 in its param_groups'),
        ('optimizer.left.param_groups.0.momentum', None, 'with momentum=None in its param_groups'),
        ('optimizer.left.param_groups.0.nesterov', 'yes', "with nesterov='yes'"),
        ('optimizer.left.state.0', 'x', "whose state of parameter 0 is 'x'"),
        ('optimizer.left.state.0.momentum_buffer', 'x', "whose momentum_buffer of parameter 0 is 'x'"),
        (
            'optimizer.left.state.0.momentum_buffer',
            torch.ones(2, 3, dtype=int),
            'whose momentum_buffer is of torch.int64',
        ),
        (
            'optimizer.left.state.0.momentum_buffer',
            torch.tensor([[0, 0, 0], [0, math.nan, 0]]),
            'whose momentum_buffer of parameter 0 has NaN or infinite numbers',
        ),
        ('optimizer.left.state.0.step', math.inf, 'whose step of parameter 0 has NaN or infinite numbers'),
        ('dmt.best', {'left': math.nan}, 'dmt.best'),
        ('message_hub.runtime_info', {'best_score': math.nan}, 'best_score=nan, which must be a number'),
        ('message_hub.log_scalars.loss', history(_log_history='abc'), 'not histories'),
        ('message_hub.log_scalars.loss', history(_count_history=np.zeros(3)), 'not histories'),
        ('message_hub.log_scalars.loss', history(max_length='x'), 'not histories'),
        ('message_hub.log_scalars.loss', history(_statistics_methods={}), 'not histories'),
    ],
)
def test_a_value_that_cannot_be_is_named(runner, checkpoint, place, value, words):
    *path, last = [int(key) if key.isdigit() else key for key in place.split('.')]
    part = checkpoint
    for key in path:
        part = part[key]
    part[last] = value
    with pytest.raises(ValueError, match=f'a.pth, the checkpoint to resume, has .*{words}') as error:
        check_state('a.pth', checkpoint, runner, 6)
    assert '\n' not in str(error.value)


def test_averages_that_are_not_there_are_missed(runner, checkpoint):
    runner.hooks.append(EMAHook())
    with pytest.raises(ValueError, match='no ema_state_dict'):
        check_state('a.pth', checkpoint, runner, 6)


def test_averages_are_not_taken_for_what_was_trained(runner, checkpoint):
    checkpoint['ema_state_dict'] = {'steps': torch.tensor(1)}
    with pytest.raises(ValueError, match='averages as its weights, though the config has no EMAHook'):
        check_state('a.pth', checkpoint, runner, 6)


@pytest.mark.parametrize(
    ('averages', 'words'),
    [
        ('x', "an ema_state_dict of another network, see 'str'"),
        ({'module.weight': torch.ones(2)}, "an ema_state_dict of another network, see 'steps'"),
        ({'module.weight': torch.ones(3), 'steps': torch.tensor(1)}, 'another shape or type in .module.weight.'),
        ({'module.weight': torch.tensor([1, math.nan]), 'steps': torch.tensor(1)}, 'NaN or infinite .*module.weight'),
    ],
)
def test_averages_of_another_network_or_without_numbers_are_refused(runner, checkpoint, averages, words):
    hook = EMAHook()
    own = {'module.weight': torch.zeros(2), 'steps': torch.tensor(0)}
    hook.ema_model = SimpleNamespace(state_dict=lambda: own)
    runner.hooks.append(hook)
    checkpoint['ema_state_dict'] = averages
    with pytest.raises(ValueError, match=words):
        check_state('a.pth', checkpoint, runner, 6)
    checkpoint['ema_state_dict'] = {'module.weight': torch.ones(2), 'steps': torch.tensor(1)}
    check_state('a.pth', checkpoint, runner, 6)


@pytest.mark.parametrize(
    ('value', 'own'),
    [
        ('/elsewhere/best_mIoU_iter_3.pth', 'best_mIoU_iter_3.pth'),
        ('C:\\elsewhere\\best_mIoU_iter_3.pth', 'best_mIoU_iter_3.pth'),
        ('/home/thesis.txt', None),
        ('..', None),
        (7, None),
    ],
)
def test_paths_lead_into_the_runs_own_folder(runner, checkpoint, tmp_path, value, own):
    checkpoint['message_hub']['runtime_info']['best_ckpt'] = value
    confine(checkpoint, runner)
    assert checkpoint['message_hub']['runtime_info']['best_ckpt'] == (own and str(tmp_path / own))


def test_what_mmengine_would_execute_is_dropped(runner, checkpoint, caplog):
    checkpoint['meta']['config'] = 'import os'
    confine(checkpoint, runner)
    assert 'config' not in checkpoint['meta']
    assert 'meta.config, which MMEngine would execute' in caplog.text

from types import SimpleNamespace

import pytest
from mmengine import Config

from mmdmt.engine.resumed_config import changed_config

SETTINGS = {
    'model': {'type': 'DMT', 'loss': {'gamma_agree': 3.0, 'class_weight': [1.0, 2.0]}, 'mixes': [{'type': 'CutMix'}]},
    'train_dataloader': {'batch_size': 8, 'dataset': {'ann_file': 'a.txt', 'palette': {'1.5': -1}}},
    'custom_hooks': [{'type': 'DMTHook', 'phases': [{'iters': 3}]}],
    'optim_wrapper': {'optimizer': {'lr': 0.1}},
    'work_dir': 'a',
}


def compared(given, **changes):
    own = Config(SETTINGS)
    own.merge_from_dict(changes)
    return changed_config({'meta': {'cfg': given}}, SimpleNamespace(cfg=own))


def text(**changes):
    config = Config(SETTINGS)
    config.merge_from_dict(changes)
    return config.pretty_text


def test_an_equal_config_is_resumed_without_a_word():
    assert compared(text()) == ''


def test_what_has_a_record_of_its_own_or_does_not_train_is_not_told():
    assert compared(text(), work_dir='b', **{'optim_wrapper.optimizer.lr': 0.2}) == ''


@pytest.mark.parametrize(
    ('changes', 'told'),
    [
        ({'model.loss.gamma_agree': 1.0}, 'model.loss.gamma_agree=1.0 (it had 3.0)'),
        ({'model.loss.class_weight': [1.0, 3.0]}, 'model.loss.class_weight.1=3.0 (it had 2.0)'),
        ({'model.loss.class_weight': [1.0]}, 'model.loss.class_weight=[1.0] (it had [1.0, 2.0])'),
        ({'model.labelers': {'left': 'right'}}, "model.labelers={'left': 'right'} (it had nothing)"),
        ({'train_dataloader.dataset.ann_file': 'b.txt'}, "train_dataloader.dataset.ann_file='b.txt' (it had 'a.txt')"),
        ({'custom_hooks.0.phases.0.iters': 4}, 'custom_hooks.0.phases.0.iters=4 (it had 3)'),
    ],
)
def test_a_changed_setting_is_told_with_both_values(changes, told):
    assert compared(text(), **changes) == (
        f'The config differs from that of the checkpoint to resume, and counts from now on: {told}.'
    )


def test_a_setting_that_is_no_longer_there_is_told():
    assert 'model.labelers=nothing (it had 1)' in compared(text(**{'model.labelers': 1}))


def test_of_many_settings_the_first_are_told_and_the_others_counted():
    told = compared(text(), **{f'model.new{n}': n for n in range(12)})
    assert told.count('it had nothing') == 8
    assert told.endswith('(it had nothing), and 4 more.')


@pytest.mark.parametrize(
    'given',
    [
        None,
        3,
        b'\xff',
        'model = (',
        '(' * 10000,
        'import os',
        'a = b = 1',
        'model = {[1], 2}',
        'model = -' + '-' * 5000 + '1',
    ],
)
def test_a_checkpoint_without_a_config_is_resumed_without_a_word(given):
    assert compared(given) == ''


def test_nothing_of_the_text_is_executed(tmp_path):
    target = tmp_path / 'a'
    told = compared(f"model = __import__('pathlib').Path({str(target)!r}).touch()")
    assert '__import__' in told
    assert not target.exists()

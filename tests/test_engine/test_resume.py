"""What a run that is resumed compares, and what it takes out of a checkpoint."""

import json

import pytest
from mmengine.config import Config

from mmdmt.engine.resume import changed_settings, confine, settings_of
from mmdmt.engine.run_record import RunRecord
from mmdmt.method.phases import Curriculum

PHASES = (
    {'iters': 4, 'labeled': 2},
    {'iters': 8, 'labeled': 1, 'pseudo': 1, 'label_ratio': 0.5},
    {'iters': 8, 'labeled': 1, 'pseudo': 1, 'label_ratio': 1.0},
)
SETTINGS = {
    'model': {'type': 'DMT', 'loss': {'gamma_agree': 3.0, 'class_weight': (1.0, 2.0)}, 'mixes': [{'type': 'CutMix'}]},
    'train_dataloader': {'batch_size': 8, 'dataset': {'ann_file': 'a.txt', 'palette': {1.5: -1}, 'of': object()}},
    'custom_hooks': [{'type': 'mmdmt.DMTHook', 'warm_up': 4, 'iters': 8, 'keep_banks': 1}],
    'optim_wrapper': {'type': 'OptimWrapper', 'optimizer': {'type': 'SGD', 'lr': 0.1}},
    'param_scheduler': [{'type': 'LinearLR', 'end': 2}, {'type': 'PolyLR', 'power': 0.9}],
    'work_dir': 'a',
}


def settings(phases=PHASES, **changes):
    config = Config(SETTINGS)
    config.merge_from_dict(changes)
    curriculum = Curriculum.from_configs(phases)
    return config, curriculum


def compared(iteration, phases=PHASES, **changes):
    """The sentences about changes to a run that is resumed at an iteration."""
    then = json.loads(json.dumps(settings_of(*settings())))  # as it comes back from the record
    config, curriculum = settings(phases, **changes)
    return changed_settings(then, settings_of(config, curriculum), curriculum, iteration)


def with_phase(number, **changes):
    return tuple({**phase, **changes} if n == number else phase for n, phase in enumerate(PHASES))


@pytest.mark.parametrize('iteration', [0, 3, 4, 19, 20])
def test_an_equal_config_is_resumed_without_a_word(iteration):
    assert compared(iteration) == []
    assert compared(iteration, **{'work_dir': 'b', 'custom_hooks.0.iters': 9}) == []  # phases say that themselves


def test_a_run_whose_phases_are_said_in_other_words_is_resumed_without_a_word():
    words = {'warm_up': 4, 'iters': 8, 'ratios': (0.5, 1.0), 'labeled': 1, 'pseudo': 1, 'lr_factor': 0.5}
    assert compared(6, **{f'custom_hooks.0.{word}': value for word, value in words.items()}) == []


def test_a_run_whose_settings_are_not_known_is_resumed_without_a_word():
    config, curriculum = settings()
    assert changed_settings({}, settings_of(config, curriculum), curriculum, 3) == []


NOW, LATER = 'count at once', 'count from phase 2 on, which begins at iteration 12'


@pytest.mark.parametrize(
    ('changes', 'told', 'counts'),
    [
        ({'model.loss.gamma_agree': 1.0}, 'model.loss.gamma_agree=1.0 (it had 3.0)', NOW),
        ({'model.loss.class_weight': [1.0, 3.0]}, 'model.loss.class_weight.1=3.0 (it had 2.0)', NOW),
        ({'model.loss.class_weight': [1.0]}, 'model.loss.class_weight=[1.0] (it had [1.0, 2.0])', NOW),
        ({'model.labelers': {'left': 'right'}}, "model.labelers={'left': 'right'} (it had nothing)", NOW),
        ({'train_dataloader.dataset.ann_file': 'b'}, "train_dataloader.dataset.ann_file='b' (it had 'a.txt')", NOW),
        ({'custom_hooks.0.keep_banks': 2}, 'custom_hooks.0.keep_banks=2 (it had 1)', NOW),
        ({'optim_wrapper.clip_grad': {'max_norm': 1}}, "clip_grad={'max_norm': 1} (it had nothing)", NOW),
        ({'phases': with_phase(2, iters=1)}, 'phases.2.iters=1 (it had 8)', NOW),
        ({'phases': with_phase(2, label_ratio=0.8)}, 'phases.2.label_ratio=0.8 (it had 1.0)', NOW),
        ({'phases': PHASES[:2]}, "phases.2=nothing (it had {'iters': 8", NOW),
        ({'phases': with_phase(1, labeled=2)}, 'phases.1.labeled=2 (it had 1)', NOW),
        ({'optim_wrapper.optimizer.lr': 0.5}, 'optim_wrapper.optimizer.lr=0.5 (it had 0.1)', LATER),
        ({'param_scheduler.1.power': 2.0}, 'param_scheduler.1.power=2.0 (it had 0.9)', LATER),
    ],
)
def test_a_changed_setting_is_told_with_both_values_and_when_it_counts(changes, told, counts):
    (sentence,) = compared(6, **changes)
    assert told in sentence
    assert sentence.startswith(f'Settings that differ from those of the run to resume {counts}')


@pytest.mark.parametrize(
    ('iteration', 'changes', 'place'),
    [
        (6, {'phases': with_phase(0, labeled=4)}, 'phases.0.labeled=4 (it had 2)'),
        (6, {'phases': with_phase(1, label_ratio=0.6)}, 'phases.1.label_ratio=0.6 (it had 0.5)'),
        (4, {'phases': with_phase(1, lr_factor=0.5)}, 'phases.1.lr_factor=0.5 (it had 1.0)'),
        (6, {'optim_wrapper.optimizer.type': 'AdamW'}, "optim_wrapper.optimizer.type='AdamW' (it had 'SGD')"),
        (6, {'optim_wrapper.type': 'AmpOptimWrapper'}, "optim_wrapper.type='AmpOptimWrapper'"),
        (6, {'optim_wrapper.paramwise_cfg': {'bias_lr_mult': 2}}, 'optim_wrapper.paramwise_cfg='),
        (6, {'param_scheduler.0.type': 'CosineLR'}, "param_scheduler.0.type='CosineLR'"),
        (6, {'param_scheduler': [{'type': 'PolyLR'}]}, 'param_scheduler=['),
    ],
)
def test_what_the_state_of_a_run_was_made_with_cannot_change(iteration, changes, place):
    with pytest.raises(ValueError, match='cannot go on with that: set it back, or start from its weights') as error:
        compared(iteration, **changes)
    assert f'The config has {place}' in str(error.value)


def test_the_ratio_of_a_phase_that_has_not_begun_may_change():
    assert 'phases.1.label_ratio=0.6 (it had 0.5)' in compared(4, phases=with_phase(1, label_ratio=0.6))[0]


def test_in_the_last_phase_schedules_count_no_more():
    assert 'resume count never (to train with them at once' in compared(13, **{'param_scheduler.1.power': 2.0})[0]


def test_of_many_settings_the_first_are_told_and_the_others_counted():
    (told,) = compared(3, **{f'model.new{n}': n for n in range(12)})
    assert told.count('it had nothing') == 8
    assert told.endswith('(it had nothing), and 4 more.')


def test_what_mmengine_would_run_or_remove_elsewhere_is_taken_out(tmp_path):
    (tmp_path / 'best_mIoU_3.pth').write_text('a checkpoint')
    record = RunRecord(tmp_path, tmp_path)
    record.note('best_mIoU_3.pth', 3, resumable=False)
    info = {'best_ckpt': '/theirs/best_mIoU_3.pth', 'best_ckpt_mAcc': '/home/thesis.txt', 'best_score': 0.5}
    checkpoint = {
        'meta': {'config': 'import os', 'iter': 3},
        'message_hub': {'runtime_info': {**info, 'keep_ckpt_ids': [1, '../../home/photo', 2]}},
    }
    confine(checkpoint, record)
    assert checkpoint['meta'] == {'iter': 3}
    assert checkpoint['message_hub']['runtime_info'] == {
        'best_ckpt': str(tmp_path / 'best_mIoU_3.pth'),
        'best_ckpt_mAcc': None,
        'best_score': 0.5,
        'keep_ckpt_ids': [1, 2],
    }

"""What a config file computes: phases, the length of the run and lists follow from the numbers that it names."""

from collections import defaultdict
from pathlib import Path

import pytest
from mmengine.config import Config

from mmdmt.configs import lists, peers, recipe, schedule
from mmdmt.method.phases import Curriculum

ROOT = Path(__file__).parents[2] / 'configs'
LEAVES = sorted(path for path in ROOT.rglob('*.py') if '_base_' not in path.parts)
PARENT = 'cityscapes/dmt_deeplabv2-r101_1xb8_cityscapes-1of8-half-512x1024.py'
HOOK = {'type': 'mmdmt.DMTHook', 'phases': [{'labeled': 8}, {'labeled': 2, 'pseudo': 6}], 'carry': 'best'}
# What somebody writes who adds a fraction of labels to a data set.
NEW_FRACTION = """# VOC 2012, 1/4 (2646 labels).
_base_ = ['{base}/runs/voc12aug.py', '{base}/models/dmt_deeplabv2_r101-d8.py']
mmdmt = __import__('mmdmt.configs')
train_dataloader = mmdmt.configs.lists(_base_.lists, '1of4')
custom_hooks, train_cfg = mmdmt.configs.schedule(_base_, warm_up=20000, iters=4000, val_interval=500)
"""


def write(folder, text):
    path = folder / 'leaf.py'
    path.write_text(text)
    return path


def ratios_of(phases):
    return [phase['label_ratio'] for phase in phases[1:]]


@pytest.mark.parametrize('base', [str(ROOT / '_base_'), 'mmdmt::_base_'])
def test_a_new_fraction_is_one_leaf_of_bases_by_path_or_package(base, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = Config.fromfile(write(tmp_path, NEW_FRACTION.format(base=base)))
    for part in ('labeled', 'unlabeled'):
        given = config.train_dataloader.dataset[part].ann_file
        assert given == str(tmp_path / 'splits' / 'voc12aug' / 'split0' / f'{part}_1of4.txt')
    (hook,) = config.custom_hooks
    assert [phase.iters for phase in hook.phases] == [20000, *[4000] * 5]
    assert ratios_of(hook.phases) == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert '_scope_' not in hook
    every = {'val_interval': 500, 'dynamic_intervals': [(20000, 500)]}
    assert config.train_cfg == {'type': 'IterBasedTrainLoop', 'max_iters': 40000, **every}


def test_options_of_the_command_line_change_what_was_computed(tmp_path):
    config = Config.fromfile(write(tmp_path, NEW_FRACTION.format(base=ROOT / '_base_')))
    config.merge_from_dict({'custom_hooks.0.phases.2.iters': 7, 'train_cfg.max_iters': 36007})
    assert Curriculum.from_configs(config.custom_hooks[0].phases).total_iters == config.train_cfg.max_iters


def test_the_config_that_a_run_dumps_gives_the_same_settings(tmp_path):
    config = Config.fromfile(write(tmp_path, NEW_FRACTION.format(base=ROOT / '_base_')))
    config.dump(tmp_path / 'dumped.py')
    assert Config.fromfile(tmp_path / 'dumped.py').to_dict() == config.to_dict()


def test_a_child_names_what_differs_and_the_rest_follows(tmp_path):
    child = f"_base_ = '{ROOT / PARENT}'\nmmdmt = __import__('mmdmt.configs')\n"
    child += 'custom_hooks, train_cfg = mmdmt.configs.schedule(_base_, {})\n'
    parent = Config.fromfile(ROOT / PARENT)
    for change, iters, interval in (
        ('warm_up=100', [100, *[4340] * 5], 100),
        ('iters=10', [7990, *[10] * 5], 7990),
        ('ratios=(0.5, 1.0)', [7990, 4340, 4340], 7990),
        ('ratios=()', [7990], 7990),
        ('iters=(1, 2), ratios=(0.5, 1.0)', [7990, 1, 2], 7990),
    ):
        config = Config.fromfile(write(tmp_path, child.format(change)))
        (hook,) = config.custom_hooks
        assert [phase.iters for phase in hook.phases] == iters
        assert config.train_cfg.max_iters == sum(iters)
        assert config.train_cfg.dynamic_intervals == [(interval, 300)]
        assert hook.phases[0].labeled == 8
        assert all((phase.labeled, phase.pseudo) == (2, 6) for phase in hook.phases[1:])
        assert {**hook, 'phases': None} == {**parent.custom_hooks[0], 'phases': None}
        assert config.train_cfg.val_interval == parent.train_cfg.val_interval


def test_a_hook_takes_the_place_of_the_one_of_the_base_and_others_stay():
    base = {'custom_hooks': [{'type': 'EMAHook'}, {**HOOK, 'carry': 'scratch'}, {'type': 'mmdmt.PictureHook'}]}
    hooks, _ = schedule(base, hook=HOOK, warm_up=10, iters=5)
    assert [hook['type'] for hook in hooks] == ['EMAHook', 'mmdmt.DMTHook', 'mmdmt.PictureHook']
    assert hooks[1]['carry'] == 'best'
    assert base['custom_hooks'][1]['carry'] == 'scratch'
    assert HOOK['phases'][0] == {'labeled': 8}


def test_parts_of_the_labeled_set_are_added_and_dropped():
    hooks, _ = schedule({}, hook=HOOK, warm_up=10, iters=5, labeled_lists={'left': 'l.txt', 'right': 'r.txt'})
    assert [phase.get('labeled_lists') for phase in hooks[0]['phases']][:2] == [
        {'left': 'l.txt', 'right': 'r.txt'},
        None,
    ]
    hooks, _ = schedule({'custom_hooks': hooks}, labeled_lists={})
    assert 'labeled_lists' not in hooks[0]['phases'][0]
    assert ratios_of(hooks[0]['phases']) == [0.2, 0.4, 0.6, 0.8, 1.0]


@pytest.mark.parametrize(
    ('base', 'numbers', 'message'),
    [
        ({}, {'warm_up': 1}, r'hold no mmdmt\.DMTHook .* inherit from a config of _base_/schedules'),
        ({'custom_hooks': [HOOK, HOOK]}, {'warm_up': 1}, r'hold no mmdmt\.DMTHook'),
        ({'custom_hooks': [{**HOOK, 'phases': [{'labeled': 8}]}]}, {'iters': 1}, r'a warm-up and a phase after it'),
        ({'custom_hooks': [HOOK]}, {'iters': 5}, r"phases\[0\] .* needs 'iters'"),
        ({'custom_hooks': [HOOK]}, {'warm_up': 5}, r'iters=\[\] are the lengths of 0 phases, but 5 phases'),
        (
            {'custom_hooks': [HOOK]},
            {'warm_up': 5, 'iters': (1, 2)},
            r'iters=\[1, 2\] are the lengths of 2 phases, but 5',
        ),
        ({'custom_hooks': [HOOK]}, {'warm_up': 5, 'iters': 1, 'ratios': (0.5, 2.0)}, r'label_ratio=2\.0'),
    ],
)
def test_numbers_that_make_no_phases_are_said_when_the_config_is_read(base, numbers, message):
    with pytest.raises(ValueError, match=message):
        schedule(base, **numbers)


def test_lists_have_the_ending_that_make_splits_gives_them():
    named = lists('/s/voc12aug/split0', '1of8')['dataset']
    assert named['labeled']['ann_file'] == '/s/voc12aug/split0/labeled_1of8.txt'
    assert lists('/s/voc12aug/sbd')['dataset']['unlabeled']['ann_file'] == '/s/voc12aug/sbd/unlabeled.txt'


def test_no_two_leaves_share_eight_lines():
    places = defaultdict(set)
    for path in LEAVES:
        if path.name.startswith('dmt_custom'):
            continue  # patterns for own data, each copied as a whole
        lines = [line.strip() for line in path.read_text().splitlines() if line.strip(' ()[]{},')]
        for start in range(len(lines) - 7):
            places['\n'.join(lines[start : start + 8])].add(path.name)
    assert [names for names in places.values() if len(names) > 1] == []


def test_what_is_computed_is_not_written_out():
    for path in ROOT.rglob('*.py'):
        assert '0.2, 0.4, 0.6, 0.8, 1.0' not in path.read_text(), path


def test_no_leaf_has_more_than_twelve_lines_of_code():
    """What is longer repeats what a base or a function of mmdmt.configs can say; files to be copied are complete."""
    for path in LEAVES:
        code = [line for line in path.read_text().splitlines() if line.strip() and not line.strip().startswith('#')]
        assert len(code) <= 12 or path.stem.startswith('dmt_custom'), path


def test_peers_are_fitted_with_the_heads_that_they_have():
    fcn = {'type': 'FCNHead'}
    base = {'model': {'peers': {'a': {'decode_head': fcn, 'auxiliary_head': fcn}, 'b': {'decode_head': fcn}}}}
    fitted = peers(base, 64, num_classes=5, stride=40, align_corners=['b'])['peers']
    windows = {'mode': 'slide', 'crop_size': (64, 64), 'stride': (40, 40)}
    common = {'data_preprocessor': {'size': (64, 64)}, 'test_cfg': windows}
    head = {'num_classes': 5}
    assert fitted == {
        'a': {**common, 'decode_head': head, 'auxiliary_head': head},
        'b': {**common, 'decode_head': {**head, 'align_corners': True}},
    }
    assert peers(base, 64, padded=96)['peers']['b'] == {
        'data_preprocessor': {'size': (64, 64), 'test_cfg': {'size': (96, 96)}}
    }
    with pytest.raises(ValueError, match=r"names 'c', but the peers are \['a', 'b'\]"):
        peers(base, 64, align_corners=['c'])


def test_the_recipe_is_as_long_as_its_base():
    base = {
        'strong_views': [{'type': 'RandomGrayscale'}],
        'cutmix': [{'type': 'mmdmt.CutMix'}],
        'average': {'type': 'EMAHook', 'momentum': 0.004},
        'train_cfg': {'max_iters': 900},
        'train_dataloader': {'dataset': {'labeled': {'pipeline': [{'type': 'Load'}, {'type': 'Distort'}]}}},
    }
    given = {'hook': HOOK, 'without': ['Distort'], 'min_confidence': 0.9, 'momentum': 0.1}
    model, loader, (hook, average), train_cfg = recipe(base, warm_up=100, **given)
    assert model == {'mixes': base['cutmix'], 'loss': {'gamma_agree': 1.0, 'gamma_disagree': 1.0}}
    assert recipe(base, gamma=0.0, **given)[0]['loss'] == {'gamma_agree': 0.0, 'gamma_disagree': 0.0}
    assert loader['dataset'] == {'learner_view': base['strong_views'], 'labeled': {'pipeline': [{'type': 'Load'}]}}
    online = {'labeler': 'average', 'min_confidence': 0.9}
    assert hook['phases'][1:] == [{'labeled': 2, 'pseudo': 6, 'iters': 800, 'online': online}]
    assert average == {'type': 'EMAHook', 'momentum': 0.1}
    assert train_cfg['max_iters'] == 900
    # The base is left as it is.
    assert base['average']['momentum'] == 0.004

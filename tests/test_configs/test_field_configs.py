"""Configs of the lists and backbones of today's tables."""

import contextlib
import json
import re
from pathlib import Path

import pytest
from mmengine.config import Config

from mmdmt.method.phases import Curriculum
from mmdmt.preparation import known_lists

ROOT = Path(__file__).parents[2]
LEAVES = sorted((ROOT / 'configs' / 'field').glob('*.py'))
LISTS = {
    'voc12aug': {
        'classic92': 'VOC classic 92 (UniMatch, U2PL)',
        'classic366': 'VOC classic 366 (UniMatch, U2PL)',
        'unimatch1of16': 'VOC blended 1/16 (662) of UniMatch',
        'unimatch1of8': 'VOC blended 1/8 (1323) of UniMatch',
    },
    'cityscapes': {
        'unimatch1of16': 'Cityscapes 1/16 (186) of UniMatch',
        'unimatch1of8': 'Cityscapes 1/8 (372) of UniMatch',
    },
}
NETWORKS = {
    'voc12aug': [('deeplabv3plus-r101', 321), ('dinov2-s', 518), ('dinov3-s', 512)],
    'cityscapes': [('deeplabv3plus-r101', 801), ('deeplabv3plus-r101', 769), ('dinov2-s', 798), ('dinov3-s', 768)],
}
#: Pixels to a patch, of which crops are multiples.
PATCH = {'dinov2-s': 14, 'dinov3-s': 16}

each_leaf = pytest.mark.parametrize('path', LEAVES, ids=lambda path: path.stem)


@pytest.fixture(scope='module')
def load(tmp_path_factory):
    """Read a config, once, as in a folder of a user."""
    folder, read = tmp_path_factory.mktemp('run'), {}

    def of_leaf(path):
        if path not in read:
            with contextlib.chdir(folder):
                read[path] = Config.fromfile(path)
        return read[path]

    of_leaf.folder = folder
    return of_leaf


def parts(path):
    """Method, network, data set, list and crop, as the name of a config says them."""
    pattern = r'(dmt|dmt-recipe|supervised-long)_([\w-]+)_1xb8_(voc12aug|cityscapes)-(\w+)-(\d+)x\5'
    return re.fullmatch(pattern, path.stem).groups()


def test_every_list_has_every_network_in_three_ways():
    assert {parts(path) for path in LEAVES} == {
        (method, network, data, name, str(side))
        for data in LISTS
        for name in LISTS[data]
        for network, side in NETWORKS[data]
        for method in ('dmt', 'dmt-recipe', 'supervised-long')
    }


@each_leaf
def test_lists_crops_and_phases_are_those_of_the_name(path, load):
    method, network, data, name, side = parts(path)
    config = load(path)
    known = json.loads((Path(known_lists.__file__).with_name('known_lists.json')).read_text())[data]
    dataset = config.train_dataloader.dataset
    file = str(Path(dataset.labeled.ann_file).relative_to(load.folder / 'splits' / data))
    assert known[file]['name'] == LISTS[data][name]
    assert dataset.unlabeled.ann_file == dataset.labeled.ann_file.replace('labeled_', 'unlabeled_')
    (crop,) = (step.crop_size for step in dataset.labeled.pipeline if step.type == 'RandomCrop')
    assert crop == (int(side), int(side))
    assert 'pipeline' not in dataset.unlabeled
    for peer in config.model.peers.values():
        assert peer.data_preprocessor.size == crop
        assert peer.decode_head.num_classes == (21 if data == 'voc12aug' else 19)
        assert crop[0] % PATCH.get(network, 1) == 0
        if data == 'voc12aug':
            assert (peer.test_cfg.mode, peer.data_preprocessor.test_cfg.size_divisor) == (
                'whole',
                PATCH.get(network, 8),
            )
        else:
            assert (peer.test_cfg.mode, peer.test_cfg.crop_size) == ('slide', crop)
            assert max(peer.test_cfg.stride) < crop[0]
    curriculum = Curriculum.from_configs(config.custom_hooks[0].phases)
    assert curriculum.total_iters == config.train_cfg.max_iters
    assert len(curriculum) == {'dmt': 6, 'dmt-recipe': 2, 'supervised-long': 1}[method]


@each_leaf
def test_configs_of_one_network_differ_in_lists_and_phases_alone(path, load):
    _, network, data, _, side = parts(path)
    first = next(iter(LISTS[data]))
    other = path.with_name(f'dmt_{network}_1xb8_{data}-{first}-{side}x{side}.py')
    one, two = load(path), load(other)
    of_recipe = dict(mixes=None, loss=None)  # the next test looks at them
    assert {**one.model, **of_recipe} == {**two.model, **of_recipe}
    assert one.optim_wrapper == two.optim_wrapper
    of_method = dict(dynamic_intervals=None)  # from the warm-up on
    assert {**one.train_cfg, **of_method} == {**two.train_cfg, **of_method}  # as long, whatever the method
    assert one.val_dataloader == two.val_dataloader


@pytest.mark.parametrize('path', [path for path in LEAVES if 'recipe' in path.stem], ids=lambda path: path.stem)
def test_the_recipe_is_one_phase_of_online_labels_strong_views_and_cutmix(path, load):
    config, dmt = load(path), load(path.with_name(path.name.replace('dmt-recipe', 'dmt')))
    voc = parts(path)[2] == 'voc12aug'
    hook, averaging = config.custom_hooks
    warm_up, phase = hook.phases
    assert warm_up == dmt.custom_hooks[0].phases[0]
    assert (phase.labeled, phase.pseudo, phase.get('lr_factor')) == (4, 4, 0.5 if voc else None)
    assert phase.online == {'labeler': 'average', 'min_confidence': 0.0}
    assert phase.get('label_ratio') is None
    assert (averaging.type, averaging.ema_type) == ('EMAHook', 'MomentumAnnealingEMA')
    assert config.model.mixes == [{'type': 'mmdmt.CutMix'}]
    assert config.model.loss == {**dmt.model.loss, 'gamma_agree': 1.0, 'gamma_disagree': 1.0}
    dataset = config.train_dataloader.dataset
    assert [step.type for step in dataset.learner_view] == ['RandomApply', 'RandomGrayscale', 'mmpretrain.GaussianBlur']
    plain = [step for step in dmt.train_dataloader.dataset.labeled.pipeline if step.type != 'PhotoMetricDistortion']
    assert dataset.labeled.pipeline == plain  # a labeler sees the colors of the file


@pytest.mark.parametrize('network', PATCH)
def test_backbones_of_dino_learn_a_fortieth_of_what_stands_on_them(network, load):
    path = next(path for path in LEAVES if network in path.stem)
    wrapper = load(path).optim_wrapper
    assert wrapper.constructor == 'mmdmt.PeerOptimWrapperConstructor'
    assert {key: wrapper.optimizer[key] for key in ('type', 'lr', 'weight_decay')} == {
        'type': 'AdamW',
        'lr': 5e-6,
        'weight_decay': 0.01,
    }
    assert 'momentum' not in wrapper.optimizer
    assert {key: value.lr_mult for key, value in wrapper.paramwise_cfg.custom_keys.items()} == {'neck': 40, 'head': 40}

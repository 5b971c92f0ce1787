"""Every config of the repository loads, and its model builds."""

import json
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmseg.models import EncoderDecoder

from mmdmt.method.phases import Curriculum
from mmdmt.models.mutual_training import DynamicMutualTraining
from mmdmt.registry import MODELS

ROOT = Path(__file__).parents[2] / 'configs'
LEAVES = sorted(path for path in ROOT.rglob('*.py') if '_base_' not in path.parts)

pytestmark = pytest.mark.usefixtures('mmseg_scope')

# Both with the peers of 1/8, in networks that the paper does not have.
OTHER_BACKBONES = [
    path for path in LEAVES
    if path.stem.endswith(('voc12aug-1of8-321x321', 'cityscapes-1of8-769x769')) and path.stem.startswith('dmt_')
    and 'deeplabv2' not in path.stem
]  # fmt: skip
# The optimizer of each kind of backbone, and learning rates that it has somewhere.
KINDS = {
    'ResNetV1c': (torch.optim.SGD, {0.002, 0.01}),
    'MixVisionTransformer': (torch.optim.AdamW, {6e-5}),
    'mmpretrain.ConvNeXt': (torch.optim.AdamW, {1e-4}),
}

# Those of the field's lists have the models of their first list; test_field_configs.py compares them. Kits with another
# rule have the models of the kit; test_domain_adaptation.py compares them.
FIRST_LISTS = ('voc12aug-classic92', 'cityscapes-unimatch1of16')
BUILT = [
    path for path in LEAVES
    if ('kit-share' not in path.stem and path.parent.name != 'field')
    or (path.stem.startswith('dmt_') and any(name in path.stem for name in FIRST_LISTS))
]  # fmt: skip
each_leaf = pytest.mark.parametrize('path', BUILT, ids=lambda path: path.stem)


KNOWN_MODELS = {}


def kind_and_peers(model):
    """Build a model, once for all configs that have it; return its class and the names of its peers."""
    key = json.dumps(model.to_dict(), sort_keys=True, default=str)
    if key not in KNOWN_MODELS:
        built = MODELS.build(model)
        KNOWN_MODELS[key] = type(built), getattr(built, 'peer_names', ())
    return KNOWN_MODELS[key]


@each_leaf
def test_a_config_loads_and_its_parts_fit(path, unset_weights):
    config = Config.fromfile(path)
    init_default_scope(config.default_scope)
    kind, peer_names = kind_and_peers(config.model)
    assert kind in (DynamicMutualTraining, EncoderDecoder)
    total = config.train_cfg.max_iters
    if kind is EncoderDecoder:
        assert config.param_scheduler[0]['end'] == total
        assert 'custom_hooks' not in config
        return
    (hook,) = (hook for hook in config.custom_hooks if hook.type == 'mmdmt.DMTHook')
    curriculum = Curriculum.from_configs(hook.phases)
    assert curriculum.total_iters == total
    assert {phase.batch_size for phase in curriculum.phases} == {config.train_dataloader.batch_size}
    for name in (*config.optim_wrapper.get('peers', {}), *(hook.phases[0].get('labeled_lists') or {})):
        assert name in peer_names


def test_names_of_configs_are_unique_and_say_what_is_used():
    names = [path.name for path in LEAVES]
    assert len(set(names)) == len(names)
    for name in names:
        assert name == name.lower()


@pytest.mark.parametrize(
    'path', [path for path in LEAVES if {'voc12aug', 'cityscapes'} & {*path.stem.replace('-', '_').split('_')}],
    ids=lambda path: path.stem,
)  # fmt: skip
def test_configs_of_data_sets_are_short_and_of_the_users_folder(path, tmp_path, monkeypatch):
    assert len(path.read_text().splitlines()) < 40
    monkeypatch.chdir(tmp_path)
    config = Config.fromfile(path)
    dataset = config.train_dataloader.dataset
    if dataset.type != 'mmdmt.MutualDataset':
        return
    for part in ('labeled', 'unlabeled'):
        assert Path(dataset[part].ann_file).is_relative_to(tmp_path / 'splits')
        assert not Path(dataset[part].data_root).is_absolute()
    assert 'seg_map_path' not in dataset.unlabeled.data_prefix


def built_optimizers(path):
    config = Config.fromfile(path)
    return config, build_optim_wrapper(MODELS.build(config.model), config.optim_wrapper)


@pytest.mark.parametrize('path', OTHER_BACKBONES, ids=lambda path: path.stem)
def test_each_peer_of_another_backbone_has_the_optimizer_of_its_kind(path, unset_weights):
    config, optimizers = built_optimizers(path)
    for name, peer in config.model.peers.items():
        optimizer = optimizers[name].optimizer
        kind, rates = KINDS[peer.backbone.type]
        assert type(optimizer) is kind
        given = {round(group['lr'], 9) for group in optimizer.param_groups}
        assert given & rates
        # No schedule ends above what it starts from.
        assert all(scheduler.eta_min <= min(given) for scheduler in config.param_scheduler)


def test_layers_of_convnext_near_the_image_learn_more_slowly(unset_weights):
    path = next(path for path in OTHER_BACKBONES if 'convnext' in path.stem)
    _, optimizers = built_optimizers(path)
    for optimizer in optimizers.values():
        rates = sorted({group['lr'] for group in optimizer.optimizer.param_groups})
        assert rates[-1] == 1e-4
        assert rates[0] == pytest.approx(1e-4 * 0.9**7)  # of eight steps, from stem to head
        assert {group['weight_decay'] for group in optimizer.optimizer.param_groups} == {0.0, 0.05}


@pytest.mark.parametrize('data', ['voc12aug-1of8-321x321', 'cityscapes-1of8-769x769'])
def test_both_city_and_voc_have_every_other_backbone(data):
    pairs = {path.stem.removesuffix(f'_1xb8_{data}') for path in OTHER_BACKBONES if path.stem.endswith(data)}
    deeplab = {f'dmt_deeplabv3plus-{rest}' for rest in ('r50', 'r101', 'r50_segformer-b0')}
    assert pairs == deeplab | {'dmt_segformer-b0', 'dmt_segformer-b2', 'dmt_upernet-convnext-t'}


@pytest.mark.parametrize('path', OTHER_BACKBONES, ids=lambda path: path.stem)
def test_peers_of_another_backbone_start_apart(path):
    """By their kind, by the weights of their backbones, or else by their heads, which one generator initializes."""
    first, second = Config.fromfile(path).model.peers.values()
    if first != second:
        return
    peers = MODELS.build({'type': 'mmdmt.DynamicMutualTraining', 'peers': {'a': small(first), 'b': small(second)}})
    peers.init_weights()
    heads = [dict(peer.decode_head.named_parameters()) for peer in peers.bare_peers.values()]
    assert not heads[0]['conv_seg.weight'].equal(heads[1]['conv_seg.weight'])


def small(peer):
    """A peer's config with next to no backbone and a narrow head."""
    backbone = {'type': 'MixVisionTransformer', 'embed_dims': 8, 'num_layers': [1] * 4, 'num_heads': [1] * 4}
    head = {'in_channels': [8] * 4} if peer.decode_head.type == 'SegformerHead' else {'in_channels': 8}
    head = {**peer.decode_head, **head, 'channels': 8}
    return {**peer, 'pretrained': None, 'auxiliary_head': None, 'backbone': backbone, 'decode_head': head}

import re
from pathlib import Path

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS
from toys.segmentation import toy_segmentor

from mmdmt.engine.fresh_optimizers import fit_schedulers

pytestmark = pytest.mark.usefixtures('mmseg_scope')
PLAIN = {
    'type': 'OptimWrapper',
    'constructor': 'mmdmt.PeerOptimWrapperConstructor',
    'optimizer': {'type': 'SGD', 'lr': 0.01, 'momentum': 0.9},
    'clip_grad': {'max_norm': 1.0},
}


@pytest.fixture
def model():
    return MODELS.build(
        {'type': 'mmdmt.DynamicMutualTraining', 'peers': {'cnn': toy_segmentor(), 'vit': toy_segmentor()}}
    )


def test_every_peer_gets_the_same_optimizer_over_its_own_weights(model):
    wrappers = build_optim_wrapper(model, PLAIN)
    for name, peer in model.peers.items():
        optimizer = wrappers[name].optimizer
        assert type(optimizer) is torch.optim.SGD
        assert optimizer.defaults['momentum'] == 0.9
        assert {id(p) for group in optimizer.param_groups for p in group['params']} == {
            id(p) for p in peer.parameters()
        }
        assert wrappers[name].clip_grad_kwargs == {'max_norm': 1.0}


def test_a_peer_can_have_settings_of_its_own(model):
    special = {'optimizer': {'_delete_': True, 'type': 'AdamW', 'lr': 6e-5}, 'clip_grad': None}
    wrappers = build_optim_wrapper(model, {**PLAIN, 'peers': {'vit': special}})
    assert type(wrappers['vit'].optimizer) is torch.optim.AdamW
    assert wrappers['vit'].optimizer.defaults['lr'] == 6e-5
    assert type(wrappers['cnn'].optimizer) is torch.optim.SGD


def test_paramwise_settings_reach_every_peer(model):
    wrappers = build_optim_wrapper(model, {**PLAIN, 'paramwise_cfg': {'custom_keys': {'decode_head': {'lr_mult': 10}}}})
    for name in model.peer_names:
        assert {group['lr'] for group in wrappers[name].optimizer.param_groups} == {0.01, 0.1}


def test_settings_for_a_stranger_are_refused(model):
    with pytest.raises(ValueError, match=r"\['resnet'\].*\['cnn', 'vit'\]"):
        build_optim_wrapper(model, {**PLAIN, 'peers': {'resnet': {}}})


def test_a_peer_without_a_weight_to_train_is_refused(model):
    model.vit.requires_grad_(False)
    with pytest.raises(ValueError, match="number of trainable weights is 0 in peer 'vit'.*let some be trained"):
        build_optim_wrapper(model, PLAIN)


def test_a_model_without_peers_is_refused():
    with pytest.raises(ValueError, match='EncoderDecoder.*no peers'):
        build_optim_wrapper(MODELS.build(toy_segmentor()), PLAIN)


def vision_transformer(layers=3, kind='BEiT'):
    vit = toy_segmentor(in_channels=8, in_index=0, norm_cfg={'type': 'GN', 'num_groups': 2})
    vit['backbone'] = {
        'type': kind,
        'img_size': 32,
        'patch_size': 8,
        'embed_dims': 8,
        'num_layers': layers,
        'num_heads': 2,
        'mlp_ratio': 1,
        'out_indices': (layers - 1,),
    }
    del vit['auxiliary_head']
    return vit


def peers_of(**peers):
    return MODELS.build({'type': 'mmdmt.DynamicMutualTraining', 'peers': peers})


def rates_of(wrapper, peer):
    """Learning rate and weight decay of each weight by its name."""
    names = {id(weight): name for name, weight in peer.named_parameters()}
    groups = wrapper.optimizer.param_groups
    return {names[id(w)]: (g['lr'], g['weight_decay']) for g in groups for w in g['params']}


def test_a_head_learns_faster_and_norms_do_not_decay():
    model = peers_of(vit=vision_transformer(kind='VisionTransformer'))
    adamw = {'type': 'AdamW', 'lr': 1e-4, 'weight_decay': 0.05}
    paramwise = {'norm_decay_mult': 0.0, 'custom_keys': {'head': {'lr_mult': 10.0}}}
    wrappers = build_optim_wrapper(model, {**PLAIN, 'optimizer': adamw, 'paramwise_cfg': paramwise})
    rates = rates_of(wrappers['vit'], model.vit)
    norms = {name for name in rates if name.startswith('backbone') and '.ln' in name}
    assert norms
    for name, (rate, decay) in rates.items():
        assert rate == pytest.approx(1e-3 if name.startswith('decode_head') else 1e-4), name
        assert decay == (0.0 if name in norms else 0.05), name


def test_layers_of_a_transformer_near_the_image_learn_more_slowly():
    model = peers_of(vit=vision_transformer())
    settings = {
        'constructor': 'LearningRateDecayOptimizerConstructor',
        'optimizer': {'type': 'AdamW', 'lr': 1e-4, 'weight_decay': 0.05},
        'paramwise_cfg': {'num_layers': 3, 'decay_rate': 0.5, 'decay_type': 'layer_wise'},
    }
    special = {'vit': {**settings, 'optimizer': {'_delete_': True, **settings['optimizer']}}}
    rates = rates_of(build_optim_wrapper(model, {**PLAIN, 'peers': special})['vit'], model.vit)
    for layer in range(3):
        expected = 1e-4 * 0.5 ** (3 - layer)
        of_layer = [rate for name, rate in rates.items() if name.startswith(f'backbone.layers.{layer}.')]
        assert of_layer
        assert all(rate == pytest.approx(expected) for rate, _ in of_layer)
    assert all(rate[0] == pytest.approx(1e-4) for name, rate in rates.items() if name.startswith('decode_head'))


def test_layer_wise_decay_of_an_unknown_backbone_is_refused(model):
    settings = {
        'constructor': 'LearningRateDecayOptimizerConstructor',
        'paramwise_cfg': {'num_layers': 12, 'decay_rate': 0.9, 'decay_type': 'layer_wise'},
    }
    with pytest.raises(ValueError, match="of peer 'vit' cannot be built with .* for ResNet .NotImplementedError"):
        build_optim_wrapper(model, {**PLAIN, 'peers': {'vit': settings}})


def test_the_optimizers_of_the_recipes_page_are_those_that_it_says():
    page = (Path(__file__).parents[2] / 'docs' / 'en' / 'recipes.md').read_text()
    (block,) = (one for one in re.findall(r'```python\n(.*?)```', page, re.DOTALL) if 'optim_wrapper' in one)
    config = {'phases': [{'iters': 2000, 'labeled': 8}]}
    exec(block, config)
    convnext = toy_segmentor(in_channels=32, in_index=0)
    arch = {'depths': [1, 1, 3, 1], 'channels': [4, 8, 16, 32]}
    convnext['backbone'] = {
        'type': 'mmpretrain.ConvNeXt',
        'arch': arch,
        'out_indices': (3,),
        'gap_before_final_norm': False,
    }
    del convnext['auxiliary_head']
    peers = {'cnn': toy_segmentor(), 'vit': vision_transformer(kind='VisionTransformer'), 'convnext': convnext}
    model = peers_of(**peers)
    base = {'type': 'OptimWrapper', 'constructor': 'mmdmt.PeerOptimWrapperConstructor'}
    wrappers = build_optim_wrapper(model, {**base, **config['optim_wrapper']})
    assert type(wrappers['cnn'].optimizer) is torch.optim.SGD
    of_vit, of_convnext = (rates_of(wrappers[name], model.peers[name]) for name in ('vit', 'convnext'))
    assert {round(rate, 9) for rate, _ in of_vit.values()} == {6e-5, 6e-4}
    assert {decay for _, decay in of_vit.values()} == {0.0, 0.01}
    assert len({rate for rate, _ in of_convnext.values()}) > 3
    assert max(rate for rate, _ in of_convnext.values()) == pytest.approx(1e-4)
    ramp, poly = fit_schedulers(config['param_scheduler'], 2000)
    assert (ramp['end'], poly['begin'], poly['end']) == (1500, 1500, 2000)

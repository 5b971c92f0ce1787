import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS
from toys.segmentation import toy_segmentor

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


def test_a_model_without_peers_is_refused():
    with pytest.raises(ValueError, match='EncoderDecoder.*no peers'):
        build_optim_wrapper(MODELS.build(toy_segmentor()), PLAIN)


def test_a_peer_can_have_the_layer_wise_decay_of_the_toolbox():
    vit = toy_segmentor(in_channels=32, in_index=0)
    arch = {'depths': [1, 1, 3, 1], 'channels': [4, 8, 16, 32]}
    vit['backbone'] = {'type': 'mmpretrain.ConvNeXt', 'arch': arch, 'out_indices': (3,), 'gap_before_final_norm': False}
    del vit['auxiliary_head']
    model = MODELS.build({'type': 'mmdmt.DynamicMutualTraining', 'peers': {'cnn': toy_segmentor(), 'vit': vit}})
    special = {
        'constructor': 'LearningRateDecayOptimizerConstructor',
        'optimizer': {'_delete_': True, 'type': 'AdamW', 'lr': 1e-4, 'weight_decay': 0.05},
        'paramwise_cfg': {'num_layers': 6, 'decay_rate': 0.9, 'decay_type': 'layer_wise'},
    }
    wrappers = build_optim_wrapper(model, {**PLAIN, 'peers': {'vit': special}})
    groups = wrappers['vit'].optimizer.param_groups
    assert len({group['lr'] for group in groups}) > 3
    assert {group['weight_decay'] for group in groups} == {0.0, 0.05}
    assert len(wrappers['cnn'].optimizer.param_groups) == 1

"""Wide residual networks: their size, shapes, order of layers, and what is refused."""

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import DefaultScope, init_default_scope
from torch import nn

from mmdmt.models.backbones.wide_resnet import PreActivatedUnit, WideResNet
from mmdmt.registry import MODELS


@pytest.fixture
def classifier():
    def build(depth, widen_factor):
        init_default_scope('mmpretrain')
        return MODELS.build(
            {
                'type': 'ImageClassifier',
                'backbone': {'type': 'mmdmt.WideResNet', 'depth': depth, 'widen_factor': widen_factor},
                'neck': {'type': 'GlobalAveragePooling'},
                'head': {'type': 'LinearClsHead', 'num_classes': 10, 'in_channels': 64 * widen_factor},
            }
        )

    yield build
    DefaultScope._instance_dict.clear()


@pytest.mark.parametrize(('depth', 'widen_factor', 'parameters'), [(28, 2, 1_467_610), (28, 10, 36_479_194)])
def test_a_classifier_with_ten_classes_has_the_parameters_of_the_paper(classifier, depth, widen_factor, parameters):
    with torch.device('meta'):
        model = classifier(depth, widen_factor)
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters


def test_a_classifier_of_mmpretrain_predicts_with_it(classifier):
    model = classifier(10, 2)
    model.init_weights()
    assert model(torch.randn(2, 3, 32, 32), mode='tensor').shape == (2, 10)


def test_stages_halve_the_image_twice_and_end_with_batch_norm_and_relu():
    network = WideResNet(depth=16, widen_factor=2)
    (output,) = network(torch.randn(2, 3, 32, 32))
    assert output.shape == (2, 128, 8, 8)
    assert output.min() >= 0
    output.sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize('depth', [10, 22, 28])
def test_the_depth_counts_all_convolutions_with_the_three_shortcuts(depth):
    layers = [layer for layer in WideResNet(depth=depth).modules() if isinstance(layer, nn.Conv2d)]
    assert len(layers) == depth
    assert all(layer.bias is None for layer in layers)


def test_the_shortcut_is_of_the_activated_input_where_a_unit_is_wider_and_the_input_elsewhere():
    wider, same, x = PreActivatedUnit(4, 6, 2).eval(), PreActivatedUnit(4, 4, 1).eval(), torch.randn(2, 4, 8, 8)
    activated = F.relu(wider.norm1(x))
    residual = wider.conv2(F.relu(wider.norm2(wider.conv1(activated))))
    torch.testing.assert_close(wider(x), residual + wider.shortcut(activated))
    nn.init.zeros_(same.conv2.weight)
    assert torch.equal(same(x), x)


def test_convolutions_start_with_kaimings_deviation_by_outputs():
    network = WideResNet(depth=10, widen_factor=4)
    network.init_weights()
    convolution = network.stages[2][0].conv1  # 128 to 256 channels
    assert convolution.weight.std().item() == pytest.approx((2 / (256 * 9)) ** 0.5, rel=0.02)
    assert all((norm.weight == 1).all() for norm in network.modules() if isinstance(norm, nn.BatchNorm2d))


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        ({'depth': 18}, 'depth=18 of WideResNet must be 4 \\+ 6n'),
        ({'depth': 4}, 'depth=4'),
        ({'widen_factor': 0}, 'widen_factor=0'),
    ],
)
def test_what_makes_no_network_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        WideResNet(**settings)

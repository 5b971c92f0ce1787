"""The head of DeepLab-v2, and the network of the paper's configs."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import torchvision
from mmengine.config import Config
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from mmdmt.models.decode_heads import DeepLabV2Head

CONFIG = Path(__file__).parents[3] / 'configs/_base_/models/dmt_deeplabv2_r101-d8.py'
PEERS = ('coco', 'imagenet')


def head(**settings):
    torch.manual_seed(0)
    return DeepLabV2Head(**{'in_channels': 5, 'num_classes': 3, 'dilations': (2, 3), **settings})


def sample(label):
    return SegDataSample(gt_sem_seg=PixelData(data=label[None]))


def small_peer(name, depth=18, **settings):
    """Config of one of the paper's peers, with a small network that starts at random."""
    config = Config.fromfile(CONFIG)
    small = {'backbone.depth': depth, 'decode_head.in_channels': {18: 512, 50: 2048}[depth]}
    small |= {'backbone.init_cfg': None, 'decode_head.init_cfg': None}
    config.merge_from_dict({f'model.peers.{name}.{key}': value for key, value in {**small, **settings}.items()})
    return config.model.peers[name]


def dilated_by_hand(features, weight, bias, dilation):
    """A 3x3 convolution with dilation, as nine shifted 1x1 convolutions."""
    height, width = features.shape[2:]
    padded = F.pad(features, [dilation] * 4)
    logits = bias[None, :, None, None].expand(len(features), -1, height, width)
    for row in range(3):
        for column in range(3):
            shifted = padded[:, :, row * dilation :][:, :, :height, column * dilation :][:, :, :, :width]
            logits = logits + torch.einsum('oi,nihw->nohw', weight[:, :, row, column], shifted)
    return logits


@pytest.mark.parametrize('dilations', [(6, 12), (6, 12, 18, 24), (1,), [3, 2]])
def test_logits_are_the_sum_of_a_dilated_convolution_for_each_dilation(dilations):
    module = head(dilations=dilations)
    features = torch.randn(2, 5, 17, 14)
    expected = sum(
        dilated_by_hand(features, conv.weight, conv.bias, dilation)
        for conv, dilation in zip(module.convs, dilations, strict=True)
    )
    assert len(module.convs) == len(dilations)
    torch.testing.assert_close(module([torch.zeros(1), features]), expected)


def test_every_parameter_is_of_a_convolution_and_gets_a_gradient():
    module = head(dilations=(6, 12))
    names = {name for name, _ in module.named_parameters()}
    assert names == {'convs.0.weight', 'convs.0.bias', 'convs.1.weight', 'convs.1.bias'}
    module([torch.randn(1, 5, 9, 9)]).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in module.parameters())


def test_weights_start_normal_with_biases_at_zero_or_as_torch_has_them():
    module = head(in_channels=512)
    module.init_weights()
    for conv in module.convs:
        assert conv.weight.std().item() == pytest.approx(0.01, rel=0.03)
        assert conv.weight.mean().item() == pytest.approx(0, abs=3e-4)
        assert not conv.bias.any()
    module = head(in_channels=512, init_cfg=[])
    before = [parameter.clone() for parameter in module.parameters()]
    module.init_weights()
    assert all(map(torch.equal, before, module.parameters()))


@pytest.mark.parametrize('dilations', [(), 12, (6, 0), (6, 1.5), (True,), '12', None])
def test_dilations_that_are_none_are_refused_with_the_value_and_the_remedy(dilations):
    with pytest.raises(ValueError, match=r'^dilations=.* of DeepLabV2Head must be .*: give \(6, 12, 18, 24\)') as error:
        head(dilations=dilations)
    assert repr(dilations) in str(error.value)


@pytest.mark.parametrize('contract_dilation', [True, False])
def test_backbone_is_torchvisions_of_output_stride_8(mmseg_scope, contract_dilation):
    # Depth 50 has the blocks of depth 101, fewer of them in the third stage.
    torch.manual_seed(0)
    theirs = torchvision.models.resnet50(weights=None, replace_stride_with_dilation=[False, True, True]).eval()
    config = small_peer('coco', depth=50, **{'backbone.contract_dilation': contract_dilation})
    ours = MODELS.build(config.backbone)
    ours.eval()
    weights = theirs.state_dict()
    ours.load_state_dict({key: value for key, value in weights.items() if not key.startswith('fc.')})
    theirs.avgpool, theirs.fc = torch.nn.Identity(), torch.nn.Identity()
    images = torch.randn(1, 3, 65, 49)
    with torch.no_grad():
        (features,) = ours(images)
        expected = theirs(images).reshape(features.shape)
    assert features.shape == (1, 2048, 9, 7)
    # The config says True: without it the first block of the third and fourth stage looks twice as far.
    assert torch.equal(features, expected) == contract_dilation
    assert Config.fromfile(CONFIG).backbone.contract_dilation


def test_peers_are_resnet_101_with_batch_norm_and_the_published_dilations(mmseg_scope):
    for peer in Config.fromfile(CONFIG).model.peers.values():
        with torch.device('meta'):
            module = MODELS.build({**peer, 'data_preprocessor': None}).train()
        theirs = torchvision.models.resnet101(weights=None, replace_stride_with_dilation=[False, True, True])
        shapes = {key: value.shape for key, value in theirs.state_dict().items() if not key.startswith('fc.')}
        norms = [part for part in module.modules() if isinstance(part, torch.nn.BatchNorm2d)]
        assert {key: value.shape for key, value in module.backbone.state_dict().items()} == shapes
        assert len(norms) == 104
        assert all(norm.training and norm.weight.requires_grad for norm in norms)
        assert module.decode_head.dilations == (6, 12)
        assert module.num_classes == 21
        assert module.align_corners
        assert not module.with_auxiliary_head


@pytest.mark.parametrize('training', [True, False])
def test_each_peer_gets_the_colors_of_its_weights_and_nearly_black_padding(mmseg_scope, training):
    peers = Config.fromfile(CONFIG).model.peers
    image = torch.randint(256, (3, 200, 300), dtype=torch.uint8)  # BGR, as MMSegmentation loads it
    blue, green, red = image.float()
    expected = {
        'coco': torch.stack([blue - 104.008, green - 116.669, red - 122.675]),
        'imagenet': torch.stack(
            [(red / 255 - 0.485) / 0.229, (green / 255 - 0.456) / 0.224, (blue / 255 - 0.406) / 0.225]
        ),
    }
    for name in PEERS:
        preprocessor = MODELS.build(peers[name].data_preprocessor)
        label = torch.ones(200, 300, dtype=torch.long)
        batch = preprocessor({'inputs': [image], 'data_samples': [sample(label)]}, training)
        (given,) = batch['inputs']
        assert given.shape == ((3, 321, 321) if training else (3, 505, 505))
        torch.testing.assert_close(given[:, :200, :300], expected[name], rtol=1e-5, atol=1e-4)
        levels = given * preprocessor.std + preprocessor.mean
        assert levels[:, 200:].abs().max() < 12
        assert levels[:, :, 300:].abs().max() < 12
        if training:
            (padded,) = batch['data_samples']
            assert (padded.gt_sem_seg.data[0, 200:] == 255).all()

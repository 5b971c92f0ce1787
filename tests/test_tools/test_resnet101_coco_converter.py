"""The COCO weights of DeepLab-v2 as a checkpoint of the paper's COCO peer."""

import hashlib
import importlib.util
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import torchvision
from mmengine.config import Config
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

import mmdmt.models.decode_heads  # noqa: F401

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'configs/_base_/models/dmt_deeplabv2_r101-d8.py'
DILATIONS = (6, 12, 18, 24)


@pytest.fixture(scope='module')
def converter():
    path = ROOT / 'tools/model_converters/resnet101_coco.py'
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # a dataclass looks its module up
    spec.loader.exec_module(module)
    return module


def original_shapes():
    """Names and shapes in resnet101COCO-41f33a49.pth: 520 of the backbone, without batch counts, and 8 of the head."""
    with torch.device('meta'):
        backbone = torchvision.models.resnet101(weights=None).state_dict()
    shapes = {
        name: value.shape
        for name, value in backbone.items()
        if not name.startswith('fc.') and not name.endswith('num_batches_tracked')
    }
    for number in range(4):
        shapes[f'layer5.conv2d_list.{number}.weight'] = torch.Size([21, 2048, 3, 3])
        shapes[f'layer5.conv2d_list.{number}.bias'] = torch.Size([21])
    assert len(shapes) == 528
    return shapes


@pytest.fixture(scope='module')
def original():
    """Tensors of those names and shapes, a different number in each, which take no memory."""
    return {name: torch.tensor(float(n)).expand(shape) for n, (name, shape) in enumerate(original_shapes().items())}


@pytest.fixture
def source(original, tmp_path):
    path = tmp_path / 'resnet101COCO-41f33a49.pth'
    torch.save(original, path)
    return path


def coco_peer(checkpoint=None, **settings):
    """Build the paper's COCO peer, from a converted checkpoint if there is one."""
    config = Config.fromfile(CONFIG)
    config.merge_from_dict({f'model.peers.coco.{key}': value for key, value in settings.items()})
    peer = config.model.peers.coco
    if checkpoint is not None:
        peer.backbone.init_cfg.checkpoint = peer.decode_head.init_cfg.checkpoint = str(checkpoint)
    return MODELS.build(peer)


def read(path):
    return torch.load(path, weights_only=True)


def head_names(dilations):
    """Pairs of an original and a new name in the head."""
    return [
        (f'layer5.conv2d_list.{DILATIONS.index(dilation)}.{part}', f'decode_head.convs.{position}.{part}')
        for position, dilation in enumerate(dilations)
        for part in ('weight', 'bias')
    ]


@pytest.mark.parametrize('dilations', [(6, 12), DILATIONS, (18, 6)])
def test_checkpoint_fits_the_peer_tensor_by_tensor(converter, mmseg_scope, original, source, tmp_path, dilations):
    destination = tmp_path / 'pretrain/converted.pth'
    converter.main([str(source), str(destination), '--dilations', *map(str, dilations)])
    checkpoint = read(destination)
    peer = coco_peer(**{'decode_head.dilations': dilations})
    peer.load_state_dict(checkpoint['state_dict'], strict=True)
    weights = peer.state_dict()
    names = [(name, f'backbone.{name}') for name in original if not name.startswith('layer5.')] + head_names(dilations)
    assert len(names) == 520 + 2 * len(dilations)
    assert all(torch.equal(weights[new], original[old]) for old, new in names)
    assert set(checkpoint['state_dict']) == set(weights)
    assert checkpoint['meta'] == {
        'source': source.name,
        'source_sha256': hashlib.sha256(source.read_bytes()).hexdigest(),
        'dilations': list(dilations),
    }
    assert sorted(path.name for path in destination.parent.iterdir()) == ['converted.pth']


def test_dilations_are_those_of_the_configs_unless_said_otherwise(converter, source, tmp_path):
    converter.main([str(source), str(tmp_path / 'converted.pth')])
    assert tuple(read(tmp_path / 'converted.pth')['meta']['dilations']) == Config.fromfile(CONFIG).decode_head.dilations


def test_every_tensor_is_reported(converter, original, source, tmp_path, capsys):
    torch.save({**original, 'fc.bias': torch.zeros(2)}, source)
    converter.main([str(source), str(tmp_path / 'converted.pth')])
    first, *lines, last = capsys.readouterr().out.splitlines()
    assert first == 'matched 524, missing 104, unmatched 5'
    assert len(lines) == 524 + 104 + 5
    assert 'matched    layer4.2.bn3.running_var -> backbone.layer4.2.bn3.running_var' in lines
    assert 'matched    layer5.conv2d_list.1.bias -> decode_head.convs.1.bias' in lines
    assert 'missing    backbone.bn1.num_batches_tracked (written as 0)' in lines
    assert [line for line in lines if line.startswith('unmatched')] == [
        'unmatched  layer5.conv2d_list.2.weight (no place in the network)',
        'unmatched  layer5.conv2d_list.2.bias (no place in the network)',
        'unmatched  layer5.conv2d_list.3.weight (no place in the network)',
        'unmatched  layer5.conv2d_list.3.bias (no place in the network)',
        'unmatched  fc.bias (no place in the network)',
    ]
    assert last == f'wrote {tmp_path / "converted.pth"}'


@pytest.mark.parametrize('dilations', [(6, 12), DILATIONS])
def test_peer_predicts_as_a_network_built_by_hand(converter, mmseg_scope, dilations):
    generator = torch.Generator().manual_seed(0)
    source = {}
    for name, shape in original_shapes().items():
        if len(shape) == 4:
            source[name] = torch.randn(shape, generator=generator) / (shape[1] * shape[2]) ** 0.5
        elif name.endswith(('running_mean', 'bias')):
            source[name] = torch.randn(shape, generator=generator) / 5
        else:
            source[name] = torch.rand(shape, generator=generator) / 2 + 0.2
    peer = coco_peer(**{'decode_head.dilations': dilations, 'data_preprocessor.test_cfg.size': (65, 65)}).eval()
    peer.load_state_dict(converter.convert(source, dilations).state_dict, strict=True)
    by_hand = torchvision.models.resnet101(weights=None, replace_stride_with_dilation=[False, True, True]).eval()
    by_hand.avgpool, by_hand.fc = torch.nn.Identity(), torch.nn.Identity()
    by_hand.load_state_dict(source, strict=False)

    image = torch.randint(256, (3, 40, 56), generator=generator, dtype=torch.uint8)  # BGR
    metainfo = {'img_shape': (40, 56), 'ori_shape': (40, 56)}
    mean = torch.tensor([104.008, 116.669, 122.675])[:, None, None]
    padded = F.pad(image - mean, (0, 9, 0, 25), value=-114.5)[None]
    with torch.no_grad():
        (sample,) = peer.test_step({'inputs': [image], 'data_samples': [SegDataSample(metainfo=metainfo)]})
        features = by_hand(padded).reshape(1, 2048, 9, 9)
        logits = sum(
            F.conv2d(
                features,
                source[f'layer5.conv2d_list.{number}.weight'],
                source[f'layer5.conv2d_list.{number}.bias'],
                padding=dilation,
                dilation=dilation,
            )
            for number, dilation in enumerate(dilations)
        )
        logits = F.interpolate(logits, size=(65, 65), mode='bilinear', align_corners=True)[0, :, :40, :56]
    assert logits.std() > 0.1
    assert logits.argmax(dim=0).unique().numel() > 2
    torch.testing.assert_close(sample.seg_logits.data, logits, rtol=1e-4, atol=1e-4 * logits.abs().max().item())
    assert torch.equal(sample.pred_sem_seg.data[0], logits.argmax(dim=0))


def test_config_starts_the_peer_from_the_checkpoint(converter, mmseg_scope, source, tmp_path):
    converter.main([str(source), str(tmp_path / 'converted.pth')])
    peer = coco_peer(tmp_path / 'converted.pth')
    peer.init_weights()
    expected = read(tmp_path / 'converted.pth')['state_dict']
    assert all(torch.equal(value, expected[name]) for name, value in peer.state_dict().items())


def test_a_head_of_other_classes_starts_at_random_on_the_given_backbone(converter, mmseg_scope, source, tmp_path):
    converter.main([str(source), str(tmp_path / 'converted.pth')])
    peer = coco_peer(tmp_path / 'converted.pth', **{'decode_head.num_classes': 19})
    peer.init_weights()
    expected = read(tmp_path / 'converted.pth')['state_dict']
    assert all(torch.equal(value, expected[f'backbone.{name}']) for name, value in peer.backbone.state_dict().items())
    for conv in peer.decode_head.convs:
        assert conv.weight.shape == (19, 2048, 3, 3)
        bound = (2048 * 9) ** -0.5  # torch's own, uniform
        assert conv.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.02)
        assert 0 < conv.bias.abs().max() <= bound


def test_file_that_was_not_converted_does_not_start_the_peer(mmseg_scope, source):
    with pytest.raises(AssertionError, match='backbone. is not in the pretrained model'):
        coco_peer(source).init_weights()


@pytest.mark.parametrize('prefix', ['module.', 'Scale.', 'model.module.'])
def test_prefix_shared_by_all_names_is_dropped(converter, original, source, prefix, tmp_path):
    torch.save({f'{prefix}{name}': value for name, value in original.items()}, source)
    converter.main([str(source), str(tmp_path / 'converted.pth')])
    assert torch.equal(
        read(tmp_path / 'converted.pth')['state_dict']['backbone.conv1.weight'], original['conv1.weight']
    )


@pytest.mark.parametrize('key', ['state_dict', 'model'])
def test_weights_of_a_training_checkpoint_are_found(converter, original, source, key, tmp_path):
    torch.save({key: original, 'epoch': 3}, source)
    converter.main([str(source), str(tmp_path / 'converted.pth')])
    assert (tmp_path / 'converted.pth').is_file()


def test_file_in_the_format_of_its_year_is_read(converter, original, source, tmp_path):
    torch.save(original, source, _use_new_zipfile_serialization=False)
    converter.main([str(source), str(tmp_path / 'converted.pth')])
    assert (tmp_path / 'converted.pth').is_file()


def test_same_conversion_again_changes_nothing(converter, source, tmp_path, capsys):
    destination = tmp_path / 'converted.pth'
    converter.main([str(source), str(destination)])
    before = destination.stat().st_mtime_ns
    capsys.readouterr()
    converter.main([str(source), str(destination)])
    assert capsys.readouterr().out.splitlines()[-1] == f'unchanged: {destination}'
    assert destination.stat().st_mtime_ns == before


def refused(converter, *arguments):
    """Run with arguments that must be refused; return the sentence."""
    with pytest.raises(SystemExit) as error:
        converter.main([str(argument) for argument in arguments])
    assert isinstance(error.value.code, str)
    assert '\n' not in error.value.code
    return error.value.code


def test_another_file_is_not_overwritten(converter, source, tmp_path):
    (tmp_path / 'notes.pth').write_text('mine')
    message = refused(converter, source, tmp_path / 'notes.pth')
    assert message == f'{tmp_path / "notes.pth"} exists and is something else: remove it, or give another destination.'
    assert (tmp_path / 'notes.pth').read_text() == 'mine'


def test_source_is_not_overwritten(converter, source):
    before = source.read_bytes()
    assert 'exists and is something else' in refused(converter, source, source)
    assert source.read_bytes() == before


def test_missing_source_is_named(converter, tmp_path):
    assert refused(converter, tmp_path / 'no.pth', tmp_path / 'out.pth').startswith(
        f'There is no file {tmp_path}/no.pth'
    )


@pytest.mark.parametrize(
    ('dilations', 'named'), [(['6', '36'], '6 36'), (['6', '6'], '6 6'), (['0'], '0')], ids=['unknown', 'twice', 'zero']
)
def test_dilations_that_the_source_lacks_are_refused(converter, source, tmp_path, dilations, named):
    message = refused(converter, source, tmp_path / 'out.pth', '--dilations', *dilations)
    assert message.startswith(f'--dilations {named} must be some of')
    assert not (tmp_path / 'out.pth').exists()


@pytest.mark.parametrize(
    ('content', 'reason'),
    [
        ({'conv1.weight': torch.zeros(1)}, 'has no tensor layer5.conv2d_list.0.weight among its 1'),
        ({'layer5.conv2d_list.0.weight': torch.zeros(21, 1)}, 'has no tensor conv1.weight among its 1'),
        ({'epoch': 3}, 'holds a dict that is not tensors by name'),
        ({}, 'has no tensor layer5.conv2d_list.0.weight among its 0'),
        (torch.zeros(3), 'holds a Tensor that is not tensors by name'),
        (Path('code'), 'cannot be read safely as a file of tensors'),
    ],
    ids=['no head', 'no stem', 'no tensors', 'empty', 'one tensor', 'pickled object'],
)
def test_file_of_something_else_is_refused(converter, source, tmp_path, content, reason):
    torch.save(content, source)
    message = refused(converter, source, tmp_path / 'out.pth')
    assert message.startswith(f'{source} {reason}')
    assert 'give resnet101COCO-41f33a49.pth' in message
    assert not (tmp_path / 'out.pth').exists()


@pytest.mark.parametrize('keep', [0, 100], ids=['text', 'cut short'])
def test_file_that_is_not_whole_is_refused(converter, source, tmp_path, keep):
    source.write_bytes(source.read_bytes()[:keep] or b'<html>404</html>')
    message = refused(converter, source, tmp_path / 'out.pth')
    assert message.startswith(f'{source} cannot be read safely')


@pytest.mark.parametrize(
    ('name', 'shape'), [('layer3.22.conv2.weight', None), ('layer2.0.conv1.weight', (128, 256, 3, 3))]
)
def test_file_that_lacks_a_tensor_is_reported_and_refused(converter, original, source, tmp_path, capsys, name, shape):
    broken = {key: value for key, value in original.items() if key != name}
    if shape is not None:
        broken[name] = torch.zeros(()).expand(shape)
    torch.save(broken, source)
    message = refused(converter, source, tmp_path / 'out.pth')
    assert message.startswith(
        f'{source} lacks 1 of the 524 tensors of a DeepLab-v2 on ResNet-101, first backbone.{name}'
    )
    assert f'missing    backbone.{name}' in capsys.readouterr().out.splitlines()
    assert not (tmp_path / 'out.pth').exists()

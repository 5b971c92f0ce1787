"""The COCO weights of DeepLab-v2 as a checkpoint of the paper's COCO peer."""

import hashlib
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import torchvision
from mmengine.config import Config
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from toys.tools import load_tool

import mmdmt.models.decode_heads  # noqa: F401

CONFIG = Path(__file__).parents[2] / 'configs/_base_/models/dmt_deeplabv2_r101-d8.py'
DILATIONS = (6, 12, 18, 24)


@pytest.fixture(scope='module')
def converter():
    return load_tool('model_converters/resnet101_coco.py')


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


@pytest.fixture
def convert(converter, source, tmp_path):
    """Convert the source as a command line says, and read what is written."""

    def convert(*options):
        (tmp_path / 'pretrain/converted.pth').unlink(missing_ok=True)
        converter.main([str(source), str(tmp_path / 'pretrain/converted.pth'), *map(str, options)])
        return torch.load(tmp_path / 'pretrain/converted.pth', weights_only=True)

    return convert


def coco_peer(checkpoint=None, **settings):
    """Build the paper's COCO peer, from a converted checkpoint if there is one."""
    config = Config.fromfile(CONFIG)
    config.merge_from_dict({f'model.peers.coco.{key}': value for key, value in settings.items()})
    peer = config.model.peers.coco
    if checkpoint is not None:
        peer.backbone.init_cfg.checkpoint = peer.decode_head.init_cfg.checkpoint = str(checkpoint)
    return MODELS.build(peer)


@pytest.mark.parametrize('dilations', [(6, 12), (18, 6)])
def test_checkpoint_fits_the_peer_tensor_by_tensor(convert, mmseg_scope, original, source, tmp_path, dilations):
    checkpoint = convert('--dilations', *dilations)
    peer = coco_peer(**{'decode_head.dilations': dilations})
    peer.load_state_dict(checkpoint['state_dict'], strict=True)
    weights = peer.state_dict()
    names = [(name, f'backbone.{name}') for name in original if not name.startswith('layer5.')]
    names += [
        (f'layer5.conv2d_list.{DILATIONS.index(dilation)}.{part}', f'decode_head.convs.{position}.{part}')
        for position, dilation in enumerate(dilations)
        for part in ('weight', 'bias')
    ]
    assert len(names) == 520 + 2 * len(dilations)
    assert all(torch.equal(weights[new], original[old]) for old, new in names)
    assert set(checkpoint['state_dict']) == set(weights)
    assert checkpoint['meta'] == {
        'source': source.name,
        'source_sha256': hashlib.sha256(source.read_bytes()).hexdigest(),
        'dilations': list(dilations),
    }
    assert sorted(path.name for path in (tmp_path / 'pretrain').iterdir()) == ['converted.pth']


def test_tensors_without_a_place_are_told_and_dilations_are_those_of_the_configs(convert, original, source, capsys):
    torch.save({**original, 'fc.bias': torch.zeros(2)}, source)
    checkpoint = convert()
    assert tuple(checkpoint['meta']['dilations']) == Config.fromfile(CONFIG).decode_head.dilations
    assert checkpoint['state_dict']['backbone.bn1.num_batches_tracked'] == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith('628 tensors in ')
    assert told[1:] == [*(f'layer5.conv2d_list.{n}.{part}' for n in (2, 3) for part in ('weight', 'bias')), 'fc.bias']


@pytest.mark.parametrize('dilations', [DILATIONS])
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
    peer.load_state_dict(converter.convert(source, dilations)[0], strict=True)
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


def test_config_starts_the_peer_from_the_checkpoint_and_a_head_of_other_classes_at_random(
    convert, mmseg_scope, source, tmp_path
):
    expected, written = convert()['state_dict'], tmp_path / 'pretrain/converted.pth'
    peer = coco_peer(written)
    peer.init_weights()
    assert all(torch.equal(value, expected[name]) for name, value in peer.state_dict().items())
    peer = coco_peer(written, **{'decode_head.num_classes': 19})
    peer.init_weights()
    assert all(torch.equal(value, expected[f'backbone.{name}']) for name, value in peer.backbone.state_dict().items())
    for conv in peer.decode_head.convs:
        assert conv.weight.shape == (19, 2048, 3, 3)
        bound = (2048 * 9) ** -0.5  # torch's own, uniform
        assert conv.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.02)
        assert 0 < conv.bias.abs().max() <= bound
    with pytest.raises(AssertionError, match='backbone. is not in the pretrained model'):
        coco_peer(source).init_weights()


def test_prefixes_training_checkpoints_and_the_format_of_their_year_are_read(convert, original, source):
    whole = convert()['state_dict'].keys()
    for content, options in (
        ({f'model.module.{name}': value for name, value in original.items()}, {}),
        ({'state_dict': original, 'epoch': 3}, {}),
        ({'model': original, 'epoch': 3}, {}),
        (original, {'_use_new_zipfile_serialization': False}),
    ):
        torch.save(content, source, **options)
        written = convert()['state_dict']
        assert written.keys() == whole
        assert torch.equal(written['backbone.conv1.weight'], original['conv1.weight'])


NO_FILE = 'cannot be read safely as a file of tensors'


@pytest.mark.parametrize(
    ('content', 'reason'),
    [
        ({'conv1.weight': torch.zeros(1)}, 'has no tensor layer5.conv2d_list.0.weight among its 1'),
        ({'layer5.conv2d_list.0.weight': torch.zeros(21, 1)}, 'has no tensor conv1.weight among its 1'),
        ({'epoch': 3}, 'holds a dict that is not tensors by name'),
        (torch.zeros(3), 'holds a Tensor that is not tensors by name'),
        (Path('code'), NO_FILE),
        (b'<html>404</html>', NO_FILE),
        (100, NO_FILE),
    ],
)
def test_file_of_something_else_is_refused(convert, source, content, reason):
    if isinstance(content, bytes):
        source.write_bytes(content)
    elif isinstance(content, int):
        source.write_bytes(source.read_bytes()[:content])
    else:
        torch.save(content, source)
    with pytest.raises(ValueError, match=f'^{source} {reason}[^\n]*give resnet101COCO-41f33a49.pth[^\n]*$'):
        convert()
    assert not (source.parent / 'pretrain').exists()


@pytest.mark.parametrize(
    ('name', 'shape'), [('layer3.22.conv2.weight', None), ('layer2.0.conv1.weight', (128, 256, 3, 3))]
)
def test_file_that_lacks_a_tensor_is_refused(convert, original, source, name, shape):
    broken = {key: value for key, value in original.items() if key != name}
    if shape is not None:
        broken[name] = torch.zeros(()).expand(shape)
    torch.save(broken, source)
    with pytest.raises(ValueError, match=f'lacks 1 of the 524 tensors of a DeepLab-v2 .*, first backbone.{name}'):
        convert()
    assert not (source.parent / 'pretrain').exists()


@pytest.mark.parametrize('dilations', ['6 36', '6 6'])
def test_dilations_that_the_source_lacks_are_refused(convert, source, dilations):
    with pytest.raises(ValueError, match=f'^--dilations {dilations} must be some of'):
        convert('--dilations', *dilations.split())
    assert not (source.parent / 'pretrain').exists()


def test_another_file_is_not_overwritten(converter, source, tmp_path):
    (tmp_path / 'notes.pth').write_text('mine')
    before = source.read_bytes()
    for path in (tmp_path / 'notes.pth', source):
        with pytest.raises(FileExistsError, match=f'{path} exists: remove it, or give another'):
            converter.main([str(source), str(path)])
    assert (tmp_path / 'notes.pth').read_text() == 'mine'
    assert source.read_bytes() == before

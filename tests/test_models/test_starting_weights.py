"""What peers start from: weights in every spelling are taken, others are refused with the remedy."""

import argparse
import contextlib

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from toys.segmentation import run_config, toy_segmentor

from mmdmt.apis import init_peers
from mmdmt.apis.export import export_peer
from mmdmt.models.starting_weights import check_run_weights, load_plain_checkpoint, rename_weights
from mmdmt.models.weights import check_sound, fit

pytestmark = pytest.mark.usefixtures('mmseg_scope')
WEIGHT = 'decode_head.conv_seg.weight'


def segmentor(width=4, seed=0):
    torch.manual_seed(seed)
    return MODELS.build(toy_segmentor(width))


def model_of(**peers):
    return MODELS.build(Config({'model': {'type': 'mmdmt.DynamicMutualTraining', 'peers': peers}}).model)


def started_from(path, by, **init_cfg):
    """A model whose peer starts from a file, by the ``init_cfg`` of its backbone or by ``load_from``."""
    config = toy_segmentor()
    if by == 'init_cfg':
        config['backbone']['init_cfg'] = {'type': 'Pretrained', 'checkpoint': str(path), **init_cfg}
    settings = {'load_from': {'left': str(path)}} if by == 'load_from' else {}
    return MODELS.build({'type': 'mmdmt.DynamicMutualTraining', 'peers': {'left': config}, **settings})


def file_of(tmp_path, content):
    torch.save(content, tmp_path / 'weights.pth')
    return str(tmp_path / 'weights.pth')


def without(weights, *words):
    return {key: value for key, value in weights.items() if not any(word in key for word in words)}


def prefixed(weights, prefix):
    return {f'{prefix}{key}': value for key, value in weights.items()}


SPELLINGS = {
    'as it is': lambda weights: {'state_dict': weights, 'meta': {}},
    'bare': lambda weights: weights,
    'data parallel': lambda weights: {'state_dict': prefixed(weights, 'module.')},
    'compiled': lambda weights: {'state_dict': prefixed(weights, '_orig_mod.module.')},
    'old torch': lambda weights: {'state_dict': without(weights, 'num_batches_tracked')},
    'average beside it': lambda weights: {
        'state_dict': {**weights, **{f'ema_{key.replace(".", "_")}': value + 1 for key, value in weights.items()}}
    },
    'average alone': lambda weights: {'ema_state_dict': {'steps': torch.tensor(3), **prefixed(weights, 'module.')}},
    'timm': lambda weights: {'model': weights, 'epoch': 3},
    'without auxiliary head': lambda weights: {'state_dict': without(weights, 'auxiliary_head')},
}


@pytest.mark.parametrize('spelling', SPELLINGS)
def test_the_weights_of_a_peer_are_taken_in_every_spelling(tmp_path, spelling):
    given, peer = segmentor(seed=1), segmentor()
    load_plain_checkpoint('left', peer, file_of(tmp_path, SPELLINGS[spelling](given.state_dict())))
    expected = without(given.state_dict(), 'auxiliary_head')
    assert all(peer.state_dict()[key].equal(value) for key, value in expected.items())


@pytest.mark.parametrize(
    'weights',
    [
        lambda: segmentor(width=8).state_dict(),
        lambda: without(segmentor().state_dict(), 'decode_head.conv', 'auxiliary_head'),
        lambda: without(segmentor().state_dict(), 'backbone.layer2'),
        lambda: {key: value for key, value in segmentor().state_dict().items() if 'num_batches_tracked' in key},
    ],
    ids=['twice as wide', 'no decode head', 'half a backbone', 'counters alone'],
)
def test_the_weights_of_another_network_are_refused(tmp_path, weights):
    path = file_of(tmp_path, {'state_dict': weights()})
    with pytest.raises(ValueError, match=r"the checkpoint for peer 'left', is of another network: \d+ of \d+ tensors"):
        load_plain_checkpoint('left', segmentor(), path)


def test_weights_that_stay_random_are_told(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr('mmdmt.models.weights.print_log', lambda text, **_: said.append(text))
    monkeypatch.setattr('mmdmt.models.weights.MOST_LOST', 0.02)
    lacking = without(segmentor(seed=1).state_dict(), 'decode_head.conv_seg.bias')
    load_plain_checkpoint('left', segmentor(), file_of(tmp_path, lacking))
    assert '1 of 64 tensors do not fit: decode_head.conv_seg.bias (missing)' in said[0]


def test_weights_that_init_cfg_names_must_be_of_this_network(tmp_path):
    path = file_of(tmp_path, {'state_dict': segmentor(width=4).backbone.state_dict()})
    started_from(path, 'init_cfg').init_weights()
    file_of(tmp_path, {'state_dict': segmentor(width=8).backbone.state_dict()})
    with pytest.raises(ValueError, match="init_cfg of backbone of peer 'left', is of another network"):
        started_from(path, 'init_cfg').init_weights()


@pytest.mark.parametrize('by', ['init_cfg', 'load_from'])
@pytest.mark.parametrize(
    ('write', 'words'),
    [
        (lambda path: torch.save({'model': {}, 'a': argparse.Namespace()}, path), r'\(GLOBAL argparse.Namespace\)'),
        (lambda path: path.write_bytes(b'version https://git-lfs.github.com/spec/v1'), 'is a pointer of Git LFS'),
        (lambda path: path.write_bytes(b'PK\x03\x04 and no more'), 'is damaged or incomplete'),
    ],
    ids=['Namespace', 'text', 'cut short'],
)
def test_a_file_that_cannot_be_loaded_is_named_with_what_it_is(tmp_path, by, write, words):
    write(tmp_path / 'given.pth')
    with pytest.raises(ValueError, match=rf"given\.pth, .* peer 'left'.*{words}") as error:
        started_from(tmp_path / 'given.pth', by).init_weights()
    assert 'weights_only=False' not in str(error.value)


def run_of(*widths):
    return model_of(**{name: toy_segmentor(width) for name, width in zip(('left', 'right'), widths, strict=True)})


def test_a_run_of_wider_networks_gives_no_weights_to_one_of_narrow_ones(tmp_path):
    path = file_of(tmp_path, {'state_dict': run_of(8, 12).state_dict()})
    with pytest.raises(ValueError, match="load_from for peer 'left', is of another network"):
        check_run_weights(path, run_of(4, 6), complete=False)


def test_weights_of_a_run_are_loaded_by_their_plain_names():
    weights = run_of(4, 6).state_dict()
    of_peers = {key.replace('left.', 'left.module.'): value for key, value in weights.items()}
    checkpoint = {'state_dict': prefixed(of_peers, 'module.')}
    rename_weights(checkpoint, ['left', 'right'])
    assert checkpoint['state_dict'].keys() == weights.keys()


def test_the_share_that_fits_is_counted_in_elements():
    wanted = {'backbone.a': torch.zeros(90), 'decode_head.b': torch.zeros(10)}
    wanted['decode_head.b.num_batches_tracked'] = torch.tensor(0)
    found = fit({'backbone.a': torch.ones(90), 'decode_head.b': torch.ones(9)}, wanted)
    assert found.lost == pytest.approx(0.1)
    assert found.misfits == [('decode_head.b', (9,), (10,))]
    assert not found.is_near


@pytest.mark.parametrize(
    ('value', 'own', 'sound'),
    [
        (torch.tensor([1.0, -1e38]), torch.zeros(2), True),
        (torch.tensor([1, 2]), torch.zeros(2, dtype=torch.int64), True),
        (torch.tensor([0.0, -torch.inf]), torch.tensor([0.0, -torch.inf]), True),  # the mask of an attention
        (torch.tensor([torch.inf, -torch.inf]), torch.tensor([0.0, -torch.inf]), False),
        (torch.tensor([torch.inf], dtype=torch.bfloat16), torch.zeros(1), False),
    ],
)
def test_weights_take_finite_numbers_alone(value, own, sound):
    words = "x.pth, the file, has NaN or infinite numbers in 'b' and 1 more of its tensors"
    with contextlib.nullcontext() if sound else pytest.raises(ValueError, match=words):
        check_sound({'a': own, 'b': value, 'c': value, 'more': value}, dict.fromkeys('abc', own), 'x.pth', 'the file')


def test_networks_that_have_diverged_are_used_nowhere(shapes_folder, tmp_path):
    left, right = segmentor(), segmentor(width=6)
    weights = {name: value.clone() for name, value in left.state_dict().items()}
    weights[WEIGHT].view(-1)[3] = torch.nan
    with pytest.raises(ValueError, match=f"weights.pth, the checkpoint for peer 'left', has NaN .* in {WEIGHT!r}"):
        load_plain_checkpoint('left', left, file_of(tmp_path, {'state_dict': weights}))
    state = {**prefixed(weights, 'left.'), **prefixed(right.state_dict(), 'right.')}
    path = file_of(tmp_path, {'state_dict': state, 'meta': {}})
    config = run_config(shapes_folder, tmp_path)
    with pytest.raises(ValueError, match=f"weights.pth, load_from for peer 'left', has NaN .* in {WEIGHT!r}"):
        check_run_weights(path, run_of(4, 6), complete=True)
    with pytest.raises(ValueError, match=f"weights.pth, the checkpoint, has NaN .* in 'left.{WEIGHT}'"):
        init_peers(Config(config.to_dict()), path, device='cpu')
    with pytest.raises(ValueError, match=f"of peer 'left', has NaN .* in {WEIGHT!r}"):
        export_peer(config, torch.load(path), 'left')
    export_peer(config, torch.load(path), 'right')
